export { recordReads, specFields } from './record-reads.ts';
export {
  type Layer,
  type RegistryStandIn,
  type StandIn,
  startBucket,
  startRegistry,
} from './stand-ins.ts';
