import { cutoffLead, type EventData, timeOrderedId } from '@grantlog/contracts'
import { Commands, Eventing } from '@grantlog/eventing'
import { Clock, Problem } from '@grantlog/platform'
import { Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'
import { account } from '../domain/account.js'
import type { Why } from '../domain/cutoff.js'
import { grant } from '../domain/grant.js'
import { organization } from '../domain/organization.js'
import type { Owner } from '../domain/owner.js'
import { Organizations } from '../people/organizations.js'
import type { WhoCommands } from '../people/who-commands.js'
import { cutoffs } from '../projections/cutoffs.projection.js'
import { approvedFor, grants } from '../projections/grants.projection.js'

/** The revocation that was made; null where everything had ended already. */
export type Revoked = (EventData<'token.revoked'> & { readonly id: string }) | null

const atOnce = 50

/** Ends what was granted: one grant, all of an owner's in one event, or what somebody approved for an organization. */
@Injectable()
export class Revocations {
  constructor(
    private readonly db: DataSource,
    private readonly commands: Commands,
    private readonly eventing: Eventing,
    private readonly organizations: Organizations,
    private readonly clock: Clock,
  ) {}

  /** What is granted and issued until now, and until the token service has heard of it, in seconds. */
  cutoff(): number {
    return this.clock.seconds() + cutoffLead
  }

  /** Until when all that the owner had granted is revoked, in seconds; 0: it never was. */
  async cutoffOf(owner: Owner): Promise<number> {
    const { state } =
      owner.kind === 'person'
        ? await this.commands.load(account, owner.id)
        : await this.commands.load(organization, owner.id)
    return state.cutoff
  }

  /** @returns undefined when there is no such owner */
  async ofOwner({ kind, id }: Owner, why: Why, by: WhoCommands): Promise<Revoked | undefined> {
    const revoke = { type: 'revoke', cutoff: this.cutoff(), why } as const
    const outcome =
      kind === 'person'
        ? await this.commands.run(account, id, { ...revoke, accountId: id }, by)
        : await this.commands.run(organization, id, { ...revoke, organizationId: id }, by)
    const known = 'created' in outcome.state ? outcome.state.created : outcome.state.registered
    if (!known) return undefined
    // the page that follows must show it; should the read model be slow, the revocation counts all the same
    await this.eventing.applied(cutoffs, outcome)
    return revocationAmong(outcome.events)
  }

  /** @returns undefined when there was never such a grant */
  async ofGrant(
    { grantId, revokedBy, why }: { grantId: string; revokedBy: string | null; why: Why },
    by: WhoCommands,
  ): Promise<Revoked | undefined> {
    const command = { type: 'revoke', grantId, revokedBy, why, eventId: timeOrderedId() } as const
    const outcome = await this.commands.run(grant, grantId, command, by)
    if (outcome.state.owner === null) return undefined
    await this.eventing.applied(grants, outcome)
    return revocationAmong(outcome.events)
  }

  /**
   * Removes a member, and revokes each grant of the organization that stands by her approval. Once she is removed she approves no more:
   * should this be cut off, the same again does the rest.
   * @returns how many grants it revoked; undefined when there is no such organization
   */
  async ofMember(organizationId: string, accountId: string, by: WhoCommands): Promise<number | undefined> {
    const removed = await this.organizations.removeMember(organizationId, accountId, by)
    if (removed === undefined) return undefined
    await this.#seenRemoval(removed.streamId)
    const grantIds = await approvedFor(this.db, organizationId, accountId)
    const why = { reason: 'member-removed' } as const
    for (let next = 0; next < grantIds.length; next += atOnce) {
      const some = grantIds.slice(next, next + atOnce)
      await Promise.all(some.map(grantId => this.ofGrant({ grantId, revokedBy: null, why }, by)))
    }
    return grantIds.length
  }

  /** Waits until the read model holds every grant of before the removal, also where that was recorded by an earlier request. */
  async #seenRemoval(streamId: string): Promise<void> {
    const events = (await this.commands.store.read(streamId)).map(({ id, fact }) => ({ id, type: fact.type }))
    if (await this.eventing.applied(grants, { streamId, events })) return
    throw new Problem(503, 'Service Unavailable', 'Not every grant is known yet: send the request again.')
  }
}

function revocationAmong(
  events: readonly { readonly id: string; readonly type: string; readonly data: object }[],
): Revoked {
  const found = events.find(({ type }) => type === 'token.revoked')
  return found ? { ...(found.data as EventData<'token.revoked'>), id: found.id } : null
}
