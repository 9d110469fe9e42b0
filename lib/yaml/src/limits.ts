/** Bounds on what a reader accepts. Each failure is an error with code `YAML_LIMIT`. */
export interface YamlLimits {
  /** Length of the text in UTF-16 code units. */
  readonly lengthMax: number;
  /** How deep collections may nest. Go allows 10,000; no object of Kubernetes comes near a tenth of ours. */
  readonly depthMax: number;
  /** How many nodes aliases may add when a document is turned into values, over all of its aliases. */
  readonly aliasNodesMax: number;
}

export const DEFAULT_LIMITS: YamlLimits = {
  lengthMax: 64 * 1024 * 1024,
  depthMax: 1000,
  aliasNodesMax: 1_000_000,
};
