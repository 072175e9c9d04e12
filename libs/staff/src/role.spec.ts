import { describe, expect, it } from 'vitest';
import { may, type Permission, type Role } from './role.js';

describe('what a role may do', () => {
  it.each<[Role, Permission, boolean]>([
    ['compliance', 'audit.export', true],
    ['auditor', 'audit.export', true],
    ['auditor', 'decisions.read', true],
    ['risk', 'decisions.read', true],
    ['compliance', 'consents.read', true],
    ['auditor', 'consents.read', true],
    ['risk', 'consents.read', false],
    ['operator', 'consents.read', false],
    ['risk', 'audit.read', false],
    ['risk', 'audit.export', false],
    ['operator', 'partners.read', true],
    ['operator', 'reconciliations.read', true],
    ['operator', 'decisions.read', false],
    ['operator', 'audit.read', false],
    ['risk', 'policies.change', true],
    ['auditor', 'policies.read', true],
    ['auditor', 'policies.change', false],
    ['operator', 'policies.read', false],
  ])('%s, %s: %s', (role, permission, allowed) => {
    expect(may(role, permission)).toBe(allowed);
  });
});
