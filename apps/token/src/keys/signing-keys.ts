import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import type { Commands } from '@grantlog/eventing'
import { type PublicJwk, publicJwk } from '@grantlog/oauth'
import { CompactEncrypt, compactDecrypt } from 'jose'
import type { DataSource, EntityManager } from 'typeorm'
import { signingKey } from '../domain/signing-key.js'

export interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
}

/** The keys that sign access tokens. Private halves are stored encrypted under the key-encryption key. */
export class SigningKeys {
  #keys: readonly (SigningKey & { readonly publicKey: KeyObject; readonly jwk: PublicJwk })[] = []

  private constructor(
    private readonly db: DataSource,
    private readonly commands: Commands,
    private readonly encryptionKey: KeyObject,
  ) {}

  /**
   * Opens the stored keys, making the first where there is none.
   * @param keyEncryptionKey 32 bytes in base64url
   * @throws Error when a stored key does not open with it
   */
  static async open(db: DataSource, commands: Commands, keyEncryptionKey: string): Promise<SigningKeys> {
    const keys = new SigningKeys(db, commands, createSecretKey(keyEncryptionKey, 'base64url'))
    await db.transaction(manager => keys.#ensureOne(manager))
    await keys.#load()
    await keys.#announce()
    return keys
  }

  /** The key that signs now. */
  current(): SigningKey {
    const [key] = this.#keys
    if (key === undefined) throw new Error('There is no signing key')
    return key
  }

  /** The JWK Set (RFC 7517 §5): public halves only. */
  jwks(): { keys: PublicJwk[] } {
    return { keys: this.#keys.map(({ jwk }) => jwk) }
  }

  publicKey(kid: string): KeyObject | undefined {
    return this.#keys.find(key => key.kid === kid)?.publicKey
  }

  async #ensureOne(manager: EntityManager): Promise<void> {
    // two instances that start at once must not each make one
    await manager.query(`select pg_advisory_xact_lock(hashtextextended('signing keys', 0))`)
    const existing: unknown[] = await manager.query('select from signing_keys limit 1')
    if (existing.length > 0) return
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { kid } = publicJwk(privateKey)
    const sealed = await new CompactEncrypt(privateKey.export({ format: 'der', type: 'pkcs8' }))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid })
      .encrypt(this.encryptionKey)
    await manager.query('insert into signing_keys (kid, private_key) values ($1, $2)', [kid, sealed])
  }

  async #load(): Promise<void> {
    const rows: { kid: string; private_key: string }[] = await this.db.query(
      'select kid, private_key from signing_keys order by created_at desc, kid',
    )
    this.#keys = await Promise.all(rows.map(row => this.#unseal(row)))
  }

  async #unseal(row: { kid: string; private_key: string }) {
    const { plaintext } = await compactDecrypt(row.private_key, this.encryptionKey).catch(() => {
      throw new Error(
        `Signing key ${row.kid} does not open: KEY_ENCRYPTION_KEY is not the one that it was stored under`,
      )
    })
    const privateKey = createPrivateKey({ key: Buffer.from(plaintext), format: 'der', type: 'pkcs8' })
    return { kid: row.kid, privateKey, publicKey: createPublicKey(privateKey), jwk: publicJwk(privateKey) }
  }

  /** Says in the log which keys sign; said before, it says nothing. */
  async #announce(): Promise<void> {
    for (const { kid, jwk } of this.#keys) {
      const { kty, crv, x, y } = jwk
      const data = { keyId: kid, algorithm: jwk.alg, jwk: { kty, crv, x, y } }
      await this.commands.run(signingKey, kid, data, { actor: { type: 'system', id: 'token' } })
    }
  }
}
