import type { KeyObject } from 'node:crypto'
import type { DataSource } from 'typeorm'
import type { NewKey } from '../domain/signing-keys.js'
import { exportPrivate, importPrivate } from './key-pair.js'
import type { KeyWrapping } from './key-wrapping.js'

/** Between storing a private half and announcing its key: an orphan that is older was left by a process that died there. */
const orphanSeconds = 3600

/** The private halves of the signing keys, encrypted, in a table of their own: events are for ever, these are deleted. */
export class PrivateHalves {
  constructor(
    private readonly db: DataSource,
    private readonly wrapping: KeyWrapping,
  ) {}

  /** @param now seconds */
  async store(keyId: string, privateKey: KeyObject, now: number): Promise<void> {
    const wrapped = await this.wrapping.wrap(exportPrivate(privateKey))
    await this.db.query('insert into signing_keys (kid, private_key, created_at) values ($1, $2, $3)', [
      keyId,
      wrapped,
      now,
    ])
  }

  /** @throws Error that names the key and says why it does not open */
  async open(key: NewKey): Promise<KeyObject> {
    const [row]: { private_key: string }[] = await this.db.query(
      'select private_key from signing_keys where kid = $1',
      [key.keyId],
    )
    if (row === undefined) throw new Error(`The private half of the signing key ${key.keyId} is not stored`)
    try {
      return importPrivate(await this.wrapping.unwrap(row.private_key), key)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`The signing key ${key.keyId} does not open: ${why}`)
    }
  }

  async remove(keyId: string): Promise<void> {
    await this.db.query('delete from signing_keys where kid = $1', [keyId])
  }

  /** Deletes all but those that are still needed, and those that may just be on their way to be announced. */
  async removeAllBut(needed: readonly string[], now: number): Promise<void> {
    await this.db.query('delete from signing_keys where kid <> all($1) and created_at < $2', [
      needed,
      now - orphanSeconds,
    ])
  }
}
