import { z } from 'zod'
import { defineEvent } from '../event.js'
import { apiId, audience, clientId, owner, scopes, seconds, uuid } from '../fields.js'

const ada = '0199aa00-0000-7000-8000-0000000000ad'
const acme = '0199aa00-0000-7000-8000-0000000000c0'
const grantId = '0199aa00-0000-7000-8000-0000000000f1'

export const accountRegistered = defineEvent({
  type: 'account.registered',
  topic: 'organizations',
  summary: 'A person got an account. Who she is stays in the consent service, where it can be deleted.',
  data: z.object({ accountId: uuid }),
  example: { accountId: ada },
})

const role = z
  .enum(['administrator', 'member'])
  .describe('An administrator may grant access for the organization; a member may not.')
export const organizationCreated = defineEvent({
  type: 'organization.created',
  topic: 'organizations',
  summary: 'An organization was created.',
  data: z.object({ organizationId: uuid }),
  example: { organizationId: acme },
})
export const organizationMemberAdded = defineEvent({
  type: 'organization.member-added',
  topic: 'organizations',
  summary: 'A person became a member of an organization.',
  data: z.object({ organizationId: uuid, accountId: uuid, role }),
  example: { organizationId: acme, accountId: ada, role: 'administrator' },
})

const versions = {
  clientVersion: z.int().positive().describe('Version of the client’s stream that the person saw.'),
  apiVersion: z
    .int()
    .positive()
    .describe('Version of the API’s stream, and so of the scope texts, that the person saw.'),
}
export const grantApproved = defineEvent({
  type: 'grant.approved',
  topic: 'grants',
  summary: 'A resource owner allowed a client to use an API to the extent of the scopes.',
  data: z.object({
    grantId: uuid,
    owner,
    approvedBy: z.array(uuid).min(1).describe('The accounts of the people who approved.'),
    clientId,
    apiId,
    audience,
    scopes,
    ...versions,
    expiresAt: seconds
      .nullable()
      .describe('When the permission ends by itself, in seconds; null: only by revocation.'),
  }),
  example: {
    grantId,
    owner: { kind: 'organization', id: acme },
    approvedBy: [ada],
    clientId: 'ledgerly',
    apiId: 'invoices',
    audience: 'https://api.example/invoices',
    scopes: ['invoices:read'],
    clientVersion: 1,
    apiVersion: 1,
    expiresAt: 1_798_761_600,
  },
})
export const grantAmended = defineEvent({
  type: 'grant.amended',
  topic: 'grants',
  summary: 'The owner approved again and the grant now covers more scopes or lasts longer.',
  data: z.object({
    grantId: uuid,
    approvedBy: z.array(uuid).min(1),
    scopes: scopes.describe('All scopes that the grant covers from now on.'),
    ...versions,
    expiresAt: seconds.nullable(),
  }),
  example: {
    grantId,
    approvedBy: [ada],
    scopes: ['invoices:read', 'invoices:write'],
    clientVersion: 1,
    apiVersion: 2,
    expiresAt: 1_798_761_600,
  },
})
export const grantCodeIssued = defineEvent({
  type: 'grant.code-issued',
  topic: 'grants',
  summary: 'The browser was sent back to the client with an authorization code for this grant.',
  data: z.object({
    grantId: uuid,
    codeId: uuid.describe('Also the id of the token family that the code’s redemption begins.'),
    scopes,
    expiresAt: seconds,
  }),
  example: {
    grantId,
    codeId: '0199aa00-0000-7000-8000-0000000000fa',
    scopes: ['invoices:read'],
    expiresAt: 1_767_225_660,
  },
})
export const grantDenied = defineEvent({
  type: 'grant.denied',
  topic: 'grants',
  summary: 'A person refused what a client asked for.',
  data: z.object({ grantId: uuid, deniedBy: uuid, clientId, apiId, scopes }),
  example: { grantId, deniedBy: ada, clientId: 'ledgerly', apiId: 'invoices', scopes: ['invoices:write'] },
})
export const grantRevoked = defineEvent({
  type: 'grant.revoked',
  topic: 'grants',
  summary: 'A grant was ended before its time.',
  data: z.object({ grantId: uuid, revokedBy: uuid }),
  example: { grantId, revokedBy: ada },
})
