import type { Commands } from '@grantlog/eventing'
import type { Clock } from '@grantlog/platform'
import type { DataSource } from 'typeorm'
import type { TokenConfig } from '../token.config.js'
import { KeyLife } from './key-life.js'
import { environmentWrapping } from './key-wrapping.js'
import { PrivateHalves } from './private-halves.js'

const daySeconds = 86_400

/** The keys’ life as the settings want it. A key management service would take the place of the environment’s key here. */
export function createKeyLife(
  config: TokenConfig,
  { db, commands, clock }: { db: DataSource; commands: Commands; clock: Clock },
): KeyLife {
  const plan = {
    announceSeconds: config.KEY_ANNOUNCE_DAYS * daySeconds,
    activeSeconds: config.KEY_ACTIVE_DAYS * daySeconds,
  }
  return new KeyLife(
    commands,
    new PrivateHalves(db, environmentWrapping(config.KEY_ENCRYPTION_KEY)),
    clock,
    plan,
  )
}
