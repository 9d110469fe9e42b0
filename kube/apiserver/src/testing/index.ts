export { differences } from './differences.ts';
export { type Answer, runScript, type Script, type Send, type Step } from './request-script.ts';
export { startWebhookServer, type WebhookServer } from './webhook-server.ts';
