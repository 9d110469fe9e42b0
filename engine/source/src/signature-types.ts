export interface VerifyRequest {
  /**
   * What has to be signed: the commit, the tag that leads to it, or both; `tagOrHead`: the annotated tag if it was asked for,
   * else the commit; `history`: that tag, if any, and all commits back to well-signed ones with the trailer `seal`.
   */
  readonly mode: 'head' | 'tag' | 'tagAndHead' | 'tagOrHead' | 'history';
  /** The name of the trailer in whose commits a history is taken as verified. */
  readonly seal?: string;
  /** Armored key rings. */
  readonly pgpKeys: readonly string[];
  /** Lines as in authorized_keys. */
  readonly sshKeys: readonly string[];
  /** Where keys of a kind are looked for, for messages. */
  readonly places: { readonly pgp: string; readonly ssh: string };
}

/** An object with a good signature, and the key that made it. */
export interface VerifiedObject {
  readonly kind: 'tag' | 'commit';
  readonly name: string;
  readonly key: string;
}

export type SignatureErrorCode =
  | 'SIGNATURE_WITHOUT_TAG'
  | 'SIGNATURE_TAG_UNSIGNED'
  | 'SIGNATURE_TAG_INVALID'
  | 'SIGNATURE_COMMIT_INVALID'
  | 'SIGNATURE_HISTORY_INVALID';
