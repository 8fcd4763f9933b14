import { randomBytes, randomUUID } from 'node:crypto'
import { timeOrderedId } from '@grantlog/contracts'
import { Commands } from '@grantlog/eventing'
import { Turns } from '@grantlog/platform'
import { Injectable } from '@nestjs/common'
import { hash, verify } from '@node-rs/argon2'
import { DataSource } from 'typeorm'
import { type AccountCommand, account } from '../domain/account.js'
import { ifUnique, type WhoCommands } from './who-commands.js'

export interface Account {
  readonly accountId: string
  readonly name: string
}

interface AccountRow {
  account_id: string
  name: string
  password_hash: string
  suspended: boolean
}

/** Who people are and how they sign in. Passwords are kept as argon2id hashes (19 MiB, two passes). */
@Injectable()
export class Accounts {
  /** Verified where there is no account, so that an unknown address takes as long as a wrong password. */
  readonly #nobody = hash(randomBytes(16))
  readonly #changing = new Turns()

  constructor(
    private readonly db: DataSource,
    private readonly commands: Commands,
  ) {}

  /** @returns undefined when somebody has the address already */
  async register(
    person: { email: string; name: string; password: string },
    by: WhoCommands,
  ): Promise<Account | undefined> {
    const accountId = randomUUID()
    const passwordHash = await hash(person.password)
    return ifUnique(() =>
      // the row is seen only once the event is stored; an event without a row is an account that nobody can use
      this.#changing.take(() =>
        this.db.transaction(async manager => {
          await manager.query(
            'insert into accounts (account_id, email, name, password_hash) values ($1, $2, $3, $4)',
            [accountId, person.email, person.name, passwordHash],
          )
          await this.commands.run(account, accountId, { type: 'register', accountId }, by)
          return { accountId, name: person.name }
        }),
      ),
    )
  }

  /**
   * @param command.cutoff what was granted until then, in seconds, ends with the old password; null: it stays
   * @returns what was recorded, or undefined when the current password is not the account's
   */
  async changePassword(
    {
      accountId,
      current,
      next,
      cutoff,
    }: { accountId: string; current: string; next: string; cutoff: number | null },
    by: WhoCommands,
  ) {
    const [row]: AccountRow[] = await this.db.query('select * from accounts where account_id = $1', [
      accountId,
    ])
    if (row === undefined || !(await verify(row.password_hash, current))) return undefined
    const passwordHash = await hash(next)
    return this.#changing.take(() =>
      this.db.transaction(async manager => {
        const [, changed]: [unknown, number] = await manager.query(
          'update accounts set password_hash = $3 where account_id = $1 and password_hash = $2',
          [accountId, row.password_hash, passwordHash],
        )
        if (changed === 0) return undefined // another change was first
        const command = { type: 'change-password', accountId, eventId: timeOrderedId(), cutoff } as const
        return this.commands.run(account, accountId, command, by)
      }),
    )
  }

  /**
   * Nobody signs in with it any more, nor is signed in; or somebody may again. The same again finishes what was cut off.
   * @returns what was recorded, or undefined when there is no such account
   */
  async suspend(command: Extract<AccountCommand, { type: 'suspend' | 'reinstate' }>, by: WhoCommands) {
    const { type, accountId } = command
    return this.#changing.take(() =>
      this.db.transaction(async manager => {
        const [, changed]: [unknown, number] = await manager.query(
          'update accounts set suspended = $2 where account_id = $1',
          [accountId, type === 'suspend'],
        )
        if (changed === 0) return undefined
        await manager.query('delete from sessions where account_id = $1', [accountId])
        return this.commands.run(account, accountId, command, by)
      }),
    )
  }

  async find(accountId: string): Promise<Account | undefined> {
    const [row]: AccountRow[] = await this.db.query('select * from accounts where account_id = $1', [
      accountId,
    ])
    return row && { accountId, name: row.name }
  }

  /** @returns undefined when the address is unknown, the password is not the account's, or that is suspended */
  async authenticate(email: string, password: string): Promise<Account | undefined> {
    const [row]: AccountRow[] = await this.db.query('select * from accounts where lower(email) = lower($1)', [
      email,
    ])
    const matches = await verify(row?.password_hash ?? (await this.#nobody), password)
    return row && matches && !row.suspended ? { accountId: row.account_id, name: row.name } : undefined
  }
}
