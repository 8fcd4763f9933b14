import { z } from 'zod'
import { defineEvent } from '../event.js'
import {
  accountId,
  apiId,
  audience,
  clientId,
  detailsDigest,
  grantId,
  organizationId,
  owner,
  scopes,
  seconds,
  uuid,
} from '../fields.js'

const ada = '0199aa00-0000-7000-8000-0000000000ad'
const acme = '0199aa00-0000-7000-8000-0000000000c0'
const aGrant = '0199aa00-0000-7000-8000-0000000000f1'

export const accountRegistered = defineEvent({
  type: 'account.registered',
  topic: 'organizations',
  streams: ['account-{accountId}'],
  summary: 'A person got an account. Who she is stays in the consent service, where it can be deleted.',
  data: z.strictObject({ accountId }),
  example: { accountId: ada },
})

export const accountPasswordChanged = defineEvent({
  type: 'account.password-changed',
  topic: 'organizations',
  streams: ['account-{accountId}'],
  summary:
    'A person changed her password. What else ends with it is the policy’s matter, and an event beside it.',
  data: z.strictObject({ accountId }),
  example: { accountId: ada },
})

export const accountSuspended = defineEvent({
  type: 'account.suspended',
  topic: 'organizations',
  streams: ['account-{accountId}'],
  summary: 'A person may not sign in any more, until the account is reinstated.',
  data: z.strictObject({
    accountId,
    reason: z.string().max(200).describe('Why, in the operator’s words; names no person.'),
  }),
  example: { accountId: ada, reason: 'her telephone was stolen' },
})
export const accountReinstated = defineEvent({
  type: 'account.reinstated',
  topic: 'organizations',
  streams: ['account-{accountId}'],
  summary: 'A suspended account may be used again. What was revoked with it stays revoked.',
  data: z.strictObject({ accountId }),
  example: { accountId: ada },
})

const role = z
  .enum(['administrator', 'member'])
  .describe('An administrator may grant access for the organization; a member may not.')
export const organizationCreated = defineEvent({
  type: 'organization.created',
  topic: 'organizations',
  streams: ['organization-{organizationId}'],
  summary: 'An organization was created.',
  data: z.strictObject({ organizationId }),
  example: { organizationId: acme },
})
export const organizationMemberAdded = defineEvent({
  type: 'organization.member-added',
  topic: 'organizations',
  streams: ['organization-{organizationId}'],
  summary: 'A person became a member of an organization.',
  data: z.strictObject({ organizationId, accountId, role }),
  example: { organizationId: acme, accountId: ada, role: 'administrator' },
})

export const organizationMemberRemoved = defineEvent({
  type: 'organization.member-removed',
  topic: 'organizations',
  streams: ['organization-{organizationId}'],
  summary:
    'A person ceased to be a member of an organization. What she had approved for it is revoked, each grant by itself.',
  data: z.strictObject({ organizationId, accountId }),
  example: { organizationId: acme, accountId: ada },
})

const approvedBy = z.array(accountId).min(1).describe('The accounts of the people who approved.')
const expiresAt = seconds
  .nullable()
  .describe('When the permission ends by itself, in seconds; null: only by revocation.')
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
  streams: ['grant-{grantId}'],
  summary: 'A resource owner allowed a client to use an API to the extent of the scopes.',
  data: z.strictObject({
    grantId,
    owner,
    approvedBy,
    clientId,
    apiId,
    audience,
    scopes,
    ...versions,
    expiresAt,
  }),
  example: {
    grantId: aGrant,
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
  streams: ['grant-{grantId}'],
  summary: 'The owner approved again and the grant now covers more scopes or lasts longer.',
  data: z.strictObject({
    grantId,
    approvedBy,
    scopes: scopes.describe('All scopes that the grant covers from now on.'),
    ...versions,
    expiresAt,
  }),
  example: {
    grantId: aGrant,
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
  streams: ['grant-{grantId}'],
  summary: 'The browser was sent back to the client with an authorization code for this grant.',
  data: z.strictObject({
    grantId,
    codeId: uuid.describe('Also the id of the token family that the code’s redemption begins.'),
    scopes,
    detailsDigest: detailsDigest.optional(),
    expiresAt: seconds.describe('When the code ends unused, in seconds.'),
  }),
  example: {
    grantId: aGrant,
    codeId: '0199aa00-0000-7000-8000-0000000000fa',
    scopes: ['invoices:read'],
    detailsDigest: 'Fq0sXl1T3vZ5n2mB8cJ7yH4kR9wP6uD0eA2gS1iO5tY',
    expiresAt: 1_767_225_660,
  },
})
const deviceId = uuid.describe('The authorization that a device asked for (RFC 8628).')
const aDevice = '0199aa00-0000-7000-8000-0000000000fd'
export const grantDeviceApproved = defineEvent({
  type: 'grant.device-approved',
  topic: 'grants',
  streams: ['grant-{grantId}'],
  summary: 'A person allowed what a device asks for: its next poll begins a token family under this grant.',
  data: z.strictObject({
    deviceId: deviceId.describe('The authorization; also the id of the token family that it begins.'),
    grantId,
    clientId,
    owner,
    subject: accountId.describe('The account of the person who approved.'),
    audience,
    scopes,
    detailsDigest: detailsDigest.optional(),
    accessTokenSeconds: z.int().positive().describe('How long its access tokens live, in seconds.'),
    authTime: seconds.describe('When the person signed in.'),
    approvedAt: seconds.describe('When she approved.'),
    grantExpiresAt: expiresAt,
    expiresAt: seconds.describe('Until when the device may ask, in seconds.'),
  }),
  example: {
    deviceId: aDevice,
    grantId: aGrant,
    clientId: 'telly',
    owner: { kind: 'person', id: ada },
    subject: ada,
    audience: 'https://api.example/invoices',
    scopes: ['invoices:read'],
    accessTokenSeconds: 600,
    authTime: 1_767_225_500,
    approvedAt: 1_767_225_600,
    grantExpiresAt: 1_798_761_600,
    expiresAt: 1_767_226_100,
  },
})
export const grantDeviceDenied = defineEvent({
  type: 'grant.device-denied',
  topic: 'grants',
  streams: ['grant-{grantId}'],
  summary: 'A person refused what a device asks for: it is told so at its next poll.',
  data: z.strictObject({ deviceId, grantId, clientId }),
  example: { deviceId: aDevice, grantId: aGrant, clientId: 'telly' },
})
export const grantDenied = defineEvent({
  type: 'grant.denied',
  topic: 'grants',
  streams: ['grant-{grantId}'],
  summary: 'A person refused what a client asked for.',
  data: z.strictObject({
    grantId,
    deniedBy: accountId.describe('The account of the person who refused.'),
    clientId,
    apiId,
    scopes,
  }),
  example: {
    grantId: aGrant,
    deniedBy: ada,
    clientId: 'ledgerly',
    apiId: 'invoices',
    scopes: ['invoices:write'],
  },
})
export const grantRevoked = defineEvent({
  type: 'grant.revoked',
  topic: 'grants',
  streams: ['grant-{grantId}'],
  summary: 'A grant was ended before its time.',
  data: z.strictObject({
    grantId,
    revokedBy: accountId
      .nullable()
      .describe(
        'The account of the person who revoked it; null: an operator, or her removal from the organization.',
      ),
  }),
  example: { grantId: aGrant, revokedBy: ada },
})
export const grantExpired = defineEvent({
  type: 'grant.expired',
  topic: 'grants',
  streams: ['grant-{grantId}'],
  summary:
    'A grant came to the end that it had from its last approval. No token outlives its grant, so there is no `token.revoked`.',
  data: z.strictObject({ grantId }),
  example: { grantId: aGrant },
})
