import { Commands } from '@grantlog/eventing'
import { Turns } from '@grantlog/platform'
import { Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'
import { api } from './domain/api.js'

/** Each audience belongs to one API, over all streams. */
@Injectable()
export class Audiences {
  readonly #claiming = new Turns()

  constructor(
    private readonly db: DataSource,
    private readonly commands: Commands,
  ) {}

  /**
   * Registers an API while nobody else can take its audience. A claim counts when the API that made it holds the audience: one
   * that was cut off before its API was registered is taken over.
   * @param register appends to the API's stream
   * @returns undefined when the audience is another API's
   */
  claim<T>(audience: string, apiId: string, register: () => Promise<T>): Promise<T | undefined> {
    return this.#claiming.take(() => this.#claim(audience, apiId, register))
  }

  #claim<T>(audience: string, apiId: string, register: () => Promise<T>): Promise<T | undefined> {
    return this.db.transaction(async manager => {
      await manager.query(`select pg_advisory_xact_lock(hashtextextended('audiences', 0))`)
      const [claim]: { api_id: string }[] = await this.db.query(
        'select api_id from audience_claims where audience = $1',
        [audience],
      )
      if (claim && claim.api_id !== apiId) {
        const { state } = await this.commands.load(api, claim.api_id)
        if (state.registration?.audience === audience) return undefined
      }
      // stored at once, not with the lock's transaction: were it lost after the API was registered, another could claim again
      await this.db.query(
        `insert into audience_claims (audience, api_id) values ($1, $2)
         on conflict (audience) do update set api_id = excluded.api_id`,
        [audience, apiId],
      )
      return register()
    })
  }
}
