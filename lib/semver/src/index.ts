export {
  type Constraint,
  type ConstraintOptions,
  checkConstraint,
  formatConstraint,
  parseConstraint,
  validateConstraint,
} from './constraint.ts';
export { SemverError } from './semver-error.ts';
export {
  compareVersions,
  formatVersion,
  incrementMajor,
  incrementMinor,
  incrementPatch,
  makeVersion,
  parseStrictVersion,
  parseVersion,
  sortVersions,
  type Version,
  withMetadata,
  withPrerelease,
} from './version.ts';
