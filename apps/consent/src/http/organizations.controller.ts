import { JsonBody, line, Problem } from '@grantlog/platform'
import type { VerifiedToken } from '@grantlog/resource-guard'
import { RequireScope, Token, TokenGuard } from '@grantlog/resource-guard/nest'
import { Controller, Delete, Param, Post, UseGuards } from '@nestjs/common'
import { z } from 'zod'
import { Accounts } from '../people/accounts.js'
import { Organizations } from '../people/organizations.js'
import { operator } from '../people/who-commands.js'
import { Revocations } from '../revocations/revocations.js'
import { knownId } from './known-id.js'

const unknown = 'There is no such organization.'
const organizationIdInPath = knownId('Not Found', unknown)
const newOrganization = z.object({ name: line(120) })
const newMember = z.object({ account_id: z.uuid(), role: z.enum(['administrator', 'member']) })

/** Companies and their members, for operators. */
@Controller('organizations')
@UseGuards(TokenGuard)
export class OrganizationsController {
  constructor(
    private readonly organizations: Organizations,
    private readonly accounts: Accounts,
    private readonly revocations: Revocations,
  ) {}

  @Post()
  @RequireScope('accounts:write')
  async create(
    @Token() token: VerifiedToken,
    @JsonBody(newOrganization) { name }: z.infer<typeof newOrganization>,
  ) {
    return { organization_id: await this.organizations.create(name, operator(token.clientId)), name }
  }

  @Post(':id/members')
  @RequireScope('accounts:write')
  async addMember(
    @Token() token: VerifiedToken,
    @Param('id', organizationIdInPath) organizationId: string,
    @JsonBody(newMember) { account_id, role }: z.infer<typeof newMember>,
  ) {
    if ((await this.accounts.find(account_id)) === undefined)
      throw new Problem(409, 'Conflict', 'There is no account with this account_id.')
    const outcome = await this.organizations.addMember(
      organizationId,
      account_id,
      role,
      operator(token.clientId),
    )
    if (outcome === 'no organization') throw new Problem(404, 'Not Found', unknown)
    if (outcome === 'member already')
      throw new Problem(409, 'Conflict', 'This person is a member of the organization already.')
    return { organization_id: organizationId, account_id, role }
  }

  /** Whoever is no member is removed already: the same again finishes what was cut off. */
  @Delete(':id/members/:account')
  @RequireScope('accounts:write')
  async removeMember(
    @Token() token: VerifiedToken,
    @Param('id', organizationIdInPath) organizationId: string,
    @Param('account', knownId('Not Found', 'There is no such account.')) accountId: string,
  ) {
    const revoked = await this.revocations.ofMember(organizationId, accountId, operator(token.clientId))
    if (revoked === undefined) throw new Problem(404, 'Not Found', unknown)
    return { organization_id: organizationId, account_id: accountId, revoked_grants: revoked }
  }
}
