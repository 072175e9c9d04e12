export const ROLES = ['compliance', 'risk', 'operator', 'auditor'] as const;

export type Role = (typeof ROLES)[number];

/** What a screen or call of the console needs. */
export type Permission =
  | 'restrictions.read'
  | 'restrictions.order'
  | 'retractions.read'
  | 'consents.read'
  | 'reconciliations.read'
  | 'overview.read'
  | 'decisions.read'
  | 'audit.read'
  | 'audit.export'
  | 'partners.read'
  | 'partners.change'
  | 'policies.read'
  | 'policies.change';

/** Who may do what. Risk works on decisions without the log; operators keep partners connected without seeing any subject. */
const PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  compliance: [
    'restrictions.read',
    'restrictions.order',
    'retractions.read',
    'consents.read',
    'reconciliations.read',
    'overview.read',
    'decisions.read',
    'audit.read',
    'audit.export',
    'partners.read',
    'partners.change',
    'policies.read',
    'policies.change',
  ],
  auditor: [
    'restrictions.read',
    'retractions.read',
    'consents.read',
    'reconciliations.read',
    'overview.read',
    'decisions.read',
    'audit.read',
    'audit.export',
    'partners.read',
    'policies.read',
  ],
  risk: [
    'restrictions.read',
    'restrictions.order',
    'retractions.read',
    'reconciliations.read',
    'overview.read',
    'decisions.read',
    'partners.read',
    'policies.read',
    'policies.change',
  ],
  operator: ['retractions.read', 'reconciliations.read', 'overview.read', 'partners.read', 'partners.change'],
};

export function permissionsOf(role: Role): readonly Permission[] {
  return PERMISSIONS[role];
}

export function may(role: Role, permission: Permission): boolean {
  return PERMISSIONS[role].includes(permission);
}
