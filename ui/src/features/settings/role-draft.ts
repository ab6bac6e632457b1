import {
  ACTIONS,
  type AccessRole,
  type Action,
  EVERYTHING,
  type Grants,
  type ObjectType,
  type RoleDraft,
  type Scope,
} from '@/api';

/** What a role starts from: itself, or a copy of another one. */
export const draftOf = (role: AccessRole, name: string): RoleDraft => ({
  name,
  description: role.builtin ? '' : role.description,
  rights: [...role.rights],
  objects: structuredClone(role.objects),
});

/** What a role may do with an object: its own rules, or those of everything else. */
export const grantsOf = (draft: RoleDraft, object: string): Grants =>
  draft.objects[object] ?? draft.objects[EVERYTHING] ?? { actions: {} };

/** A scope for one action; an object that followed everything else gets rules of its own. */
export function withScope(draft: RoleDraft, object: string, action: Action, scope: Scope): RoleDraft {
  const old = grantsOf(draft, object);
  const actions = { ...old.actions, [action]: scope === 'condition' ? { ...old.actions[action], scope } : { scope } };
  // Whoever may not see a record can do nothing with it.
  if (action === 'read' && scope === 'none') for (const each of ACTIONS) actions[each] = { scope: 'none' };
  return { ...draft, objects: { ...draft.objects, [object]: { ...structuredClone(old), actions } } };
}

export function withGrants(draft: RoleDraft, object: string, grants: Grants): RoleDraft {
  return { ...draft, objects: { ...draft.objects, [object]: grants } };
}

/** An object follows everything else again. */
export function withoutObject(draft: RoleDraft, object: string): RoleDraft {
  const { [object]: _, ...objects } = draft.objects;
  return { ...draft, objects };
}

/** The scopes that can be chosen for an object; null stands for everything else. */
export function scopesFor(object: ObjectType | null): Scope[] {
  const all: Scope[] = ['none', 'own', 'team', 'department'];
  const ofCustomer =
    object !== null &&
    object.key !== 'customer' &&
    object.fields.some((field) => field.key === 'customer' && field.type === 'relation' && field.target === 'customer');
  if (ofCustomer) all.push('customer');
  if (object !== null) all.push('condition');
  return [...all, 'all'];
}

export const limitedFields = (grants: Grants): number =>
  Object.values(grants.fields ?? {}).filter((level) => level !== 'write').length;
