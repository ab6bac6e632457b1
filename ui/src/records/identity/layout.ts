import type { IdentityProfile } from '@/api';

export interface Spot {
  profile: IdentityProfile;
  depth: number;
  row: number;
}

/** Places each tree of profiles from the left: a root, then what was joined to it, every profile on a row of its own. */
export function placeProfiles(profiles: readonly IdentityProfile[]): Spot[] {
  const children = new Map<string, IdentityProfile[]>();
  const known = new Set(profiles.map((one) => one.id));
  const roots: IdentityProfile[] = [];
  for (const profile of profiles) {
    if (profile.into === undefined || !known.has(profile.into)) roots.push(profile);
    else children.set(profile.into, [...(children.get(profile.into) ?? []), profile]);
  }
  const out: Spot[] = [];
  const place = (profile: IdentityProfile, depth: number) => {
    out.push({ profile, depth, row: out.length });
    for (const child of children.get(profile.id) ?? []) place(child, depth + 1);
  };
  for (const root of roots) place(root, 0);
  return out;
}
