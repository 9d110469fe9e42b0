export type {
  Controller,
  EnqueueOptions,
  Reconcile,
  ReconcileResult,
} from './controller-types.ts';
