/** Who asks: what authentication found out, or what an impersonating client claims. */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export const MASTERS_GROUP = 'system:masters';

export const ADMIN: UserInfo = {
  username: 'kubernetes-admin',
  groups: [MASTERS_GROUP, 'system:authenticated'],
  extra: {},
};

/** The identity of the server's own controllers. */
export const SYSTEM: UserInfo = {
  username: 'system:apiserver',
  groups: [MASTERS_GROUP, 'system:authenticated'],
  extra: {},
};
