export type { CloudAccess, CloudLogin, CloudToken } from './access.ts';
export {
  type AwsCredentials,
  awsSurroundings,
  awsWebIdentity,
  codeCommitLogin,
  codeCommitRegion,
  ecrLogin,
  ecrRegion,
} from './aws.ts';
export {
  AZURE_SCOPES,
  type AzureSecret,
  acrLogin,
  acrScope,
  azureFederated,
  azureManagement,
  azureSecretToken,
  azureSurroundings,
  endOf,
} from './azure.ts';
export { type AzureContainerKey, azureContainer } from './azure-container.ts';
export type { BucketReader, StoredObject } from './bucket.ts';
export { aksLogin, eksLogin } from './cluster-logins.ts';
export {
  type ClusterPlace,
  checkAks,
  checkGke,
  describeAks,
  describeEks,
  describeGke,
  type EksCluster,
  eksCluster,
  eksToken,
} from './clusters.ts';
export {
  checkGoogleRegistry,
  GOOGLE_SCOPES,
  gkeCluster,
  googleFederated,
  googleFileToken,
  googleRegistryLogin,
  googleSurroundings,
} from './google.ts';
export { googleBucket } from './google-bucket.ts';
export {
  awsKeyRegion,
  loginToVault,
  openWithAwsKms,
  openWithAzureVault,
  openWithGoogleKms,
  openWithVault,
} from './keys.ts';
export { minioLdapLogin } from './minio.ts';
