import { randomUUID } from 'node:crypto'
import { cutoffLead, timeOrderedId } from '@grantlog/contracts'
import { Commands } from '@grantlog/eventing'
import { createClientSecret, hashSecret, parseSecretKeys, type SecretKeys } from '@grantlog/oauth'
import { Clock, CONFIG, JsonBody, Problem } from '@grantlog/platform'
import type { VerifiedToken } from '@grantlog/resource-guard'
import { RequireScope, Token } from '@grantlog/resource-guard/nest'
import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req } from '@nestjs/common'
import { DataSource } from 'typeorm'
import type { z } from 'zod'
import type { ClientsConfig } from '../clients.config.js'
import { type ClientCommand, client, hasSecret, mayBecome } from '../domain/client.js'
import { listClients } from '../projections/clients.projection.js'
import { clientBody, newClient, readRegistration, shownClient } from './client-body.js'
import { clientId } from './known-id.js'
import { operatorOf, readPage, readReason, revocation, suspension } from './request.js'

/** The registry of clients, for operators. Names are those of RFC 7591. */
@Controller('clients')
export class ClientsController {
  readonly #secretKeys: SecretKeys

  constructor(
    private readonly commands: Commands,
    private readonly db: DataSource,
    private readonly clock: Clock,
    @Inject(CONFIG) config: ClientsConfig,
  ) {
    this.#secretKeys = parseSecretKeys(config.CLIENT_SECRET_KEYS)
  }

  @Get()
  @RequireScope('clients:read')
  async list(@Req() request: { readonly url: string }) {
    const page = readPage(request.url)
    const rows = await listClients(this.db, page)
    return {
      clients: rows.map(shownClient),
      next: rows.length === page.limit ? rows.at(-1)?.client_id : null,
    }
  }

  @Get(':id')
  @RequireScope('clients:read')
  async one(@Param('id', clientId) id: string) {
    const { state } = await this.commands.load(client, id)
    return shownClient(known(state))
  }

  @Post()
  @RequireScope('clients:write')
  async register(@Token() token: VerifiedToken, @JsonBody(newClient) body: z.infer<typeof newClient>) {
    const id = body.client_id ?? randomUUID()
    const registration = readRegistration(id, body)
    const secret = hasSecret(registration) ? createClientSecret() : undefined
    const credentials = secret
      ? [{ credentialId: randomUUID(), verifier: hashSecret(secret, this.#secretKeys) }]
      : []
    const command = { type: 'register', registration, credentials } as const
    const { events, state } = await this.commands.run(client, id, command, operatorOf(token))
    if (state.deleted)
      throw new Problem(409, 'Conflict', 'A client that was deleted had this client_id: choose another one.')
    if (events.length === 0)
      throw new Problem(409, 'Conflict', 'There is a client with this client_id already.')
    return { ...shownClient(known(state)), ...(secret !== undefined && { client_secret: secret }) }
  }

  /** Replaces the registration; the credentials stay. */
  @Put(':id')
  @RequireScope('clients:write')
  async update(
    @Token() token: VerifiedToken,
    @Param('id', clientId) id: string,
    @JsonBody(clientBody) body: z.infer<typeof clientBody>,
  ) {
    const registration = readRegistration(id, body)
    const { events, state } = await this.commands.run(
      client,
      id,
      { type: 'update', registration },
      operatorOf(token),
    )
    const after = known(state)
    if (events.length === 0 && !mayBecome(after.registration, registration)) {
      throw new Problem(
        409,
        'Conflict',
        'A client goes on to authenticate or not to, and one without a secret gets none: register another client.',
      )
    }
    return shownClient(after)
  }

  @Post(':id/suspend')
  @HttpCode(200)
  @RequireScope('clients:write')
  async suspend(
    @Token() token: VerifiedToken,
    @Param('id', clientId) id: string,
    @JsonBody(suspension) { reason }: z.infer<typeof suspension>,
  ) {
    const cutoff = this.clock.seconds() + cutoffLead
    return this.#run(id, { type: 'suspend', clientId: id, reason, eventId: timeOrderedId(), cutoff }, token)
  }

  @Post(':id/reinstate')
  @HttpCode(200)
  @RequireScope('clients:write')
  async reinstate(@Token() token: VerifiedToken, @Param('id', clientId) id: string) {
    return this.#run(id, { type: 'reinstate', clientId: id }, token)
  }

  /**
   * Ends the client and all that is of it (RFC 7592 §2.3), in one append: the same again has nothing to finish, and finds no such client,
   * like any request about one that is gone.
   */
  @Delete(':id')
  @HttpCode(204)
  @RequireScope('clients:write')
  async delete(
    @Token() token: VerifiedToken,
    @Param('id', clientId) id: string,
    @Req() request: { readonly url: string },
  ): Promise<void> {
    const reason = readReason(request.url)
    // whoever is left can still register others: `operator`, deleted by itself, could never be made again
    if (id === token.clientId)
      throw new Problem(409, 'Conflict', 'A client does not delete itself: another operator’s client does.')
    const command = { type: 'delete', clientId: id, reason, eventId: timeOrderedId() } as const
    const { events } = await this.commands.run(client, id, command, operatorOf(token))
    if (events.length === 0) throw unknown()
  }

  /** Ends what was issued to the client, which may go on. The same again moves the cutoff. */
  @Post(':id/revocations')
  @HttpCode(200)
  @RequireScope('revocations:write')
  async revoke(
    @Token() token: VerifiedToken,
    @Param('id', clientId) id: string,
    @JsonBody(revocation) { reason }: z.infer<typeof revocation>,
  ) {
    const cutoff = this.clock.seconds() + cutoffLead
    const command = { type: 'revoke', clientId: id, note: reason, cutoff } as const
    const { state, events } = await this.commands.run(client, id, command, operatorOf(token))
    known(state)
    return { target: { kind: 'client', id }, issued_before: cutoff, event: events[0]?.id ?? null }
  }

  async #run(id: string, command: ClientCommand, token: VerifiedToken) {
    const { state } = await this.commands.run(client, id, command, operatorOf(token))
    return shownClient(known(state))
  }
}

function known<T extends { registration: unknown }>(
  state: T,
): T & { registration: NonNullable<T['registration']> } {
  if (state.registration === null) throw unknown()
  return state as T & { registration: NonNullable<T['registration']> }
}

const unknown = () => new Problem(404, 'Not Found', 'There is no such client.')
