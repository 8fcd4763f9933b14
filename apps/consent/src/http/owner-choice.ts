import { Injectable } from '@nestjs/common'
import type { Owner } from '../domain/owner.js'
import { Organizations } from '../people/organizations.js'
import type { Session } from '../people/sessions.js'

/** For whom a person decides. */
@Injectable()
export class OwnerChoice {
  constructor(private readonly organizations: Organizations) {}

  /** @returns the owner that a form names, or what is wrong with the choice, for the person */
  async read(choice: string | undefined, session: Session): Promise<Owner | string> {
    if (choice === undefined) return 'Choose for whom you allow it.'
    if (choice === `person:${session.accountId}`) return { kind: 'person', id: session.accountId }
    const [, id] = /^organization:([0-9a-f-]{36})$/.exec(choice) ?? []
    if (id === undefined || !(await this.organizations.mayActFor(id, session.accountId)))
      return 'You may not decide for that one: choose another.'
    return { kind: 'organization', id }
  }
}
