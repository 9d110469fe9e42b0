export { createPageApi, type PageApiPorts } from './page-api.ts';
