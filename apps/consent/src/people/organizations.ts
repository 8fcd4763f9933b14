import { randomUUID } from 'node:crypto'
import { Commands } from '@grantlog/eventing'
import { Turns } from '@grantlog/platform'
import { Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'
import { mayActFor, organization, type Role } from '../domain/organization.js'
import type { WhoCommands } from './who-commands.js'

/** The companies that people act for. */
@Injectable()
export class Organizations {
  readonly #creating = new Turns()

  constructor(
    private readonly db: DataSource,
    private readonly commands: Commands,
  ) {}

  async create(name: string, by: WhoCommands): Promise<string> {
    const organizationId = randomUUID()
    await this.#creating.take(() =>
      this.db.transaction(async manager => {
        await manager.query('insert into organizations (organization_id, name) values ($1, $2)', [
          organizationId,
          name,
        ])
        await this.commands.run(organization, organizationId, { type: 'create', organizationId }, by)
      }),
    )
    return organizationId
  }

  /** @returns what stands against it, or `added` */
  async addMember(
    organizationId: string,
    accountId: string,
    role: Role,
    by: WhoCommands,
  ): Promise<'added' | 'no organization' | 'member already'> {
    const command = { type: 'add-member', organizationId, accountId, role } as const
    const { events, state } = await this.commands.run(organization, organizationId, command, by)
    if (!state.created) return 'no organization'
    return events.length > 0 ? 'added' : 'member already'
  }

  /** @returns what the command did, or undefined when there is no such organization */
  async removeMember(organizationId: string, accountId: string, by: WhoCommands) {
    const command = { type: 'remove-member', organizationId, accountId } as const
    const outcome = await this.commands.run(organization, organizationId, command, by)
    return outcome.state.created ? outcome : undefined
  }

  /** Decided by the organization's stream, not by a read model that may be behind. */
  async mayActFor(organizationId: string, accountId: string): Promise<boolean> {
    const { state } = await this.commands.load(organization, organizationId)
    return mayActFor(state, accountId)
  }
}
