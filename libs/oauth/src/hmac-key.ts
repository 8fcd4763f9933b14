import { hash } from 'node:crypto'

const blockLength = 64 // octets, of SHA-256
const digestLength = 32

/**
 * A key that authenticates texts: HMAC-SHA-256.
 *
 * Node’s `createHmac` makes an object for each text whose memory lies outside the heap: of a text that is short, that takes longer than
 * its hashes.
 *
 * @see RFC 2104 §2
 */
export class HmacKey {
  readonly #inner: Buffer
  /** What the outer hash is of: the padded key, and the inner hash. */
  readonly #outer: Buffer

  /** @throws RangeError for a key of more than 64 octets: it would have to be hashed first */
  constructor(key: Uint8Array) {
    if (key.length > blockLength) throw new RangeError(`A key has at most ${blockLength} octets`)
    const padded = (octet: number) => Buffer.alloc(blockLength, octet).map((pad, at) => pad ^ (key[at] ?? 0))
    this.#inner = Buffer.from(padded(0x36))
    this.#outer = Buffer.concat([padded(0x5c), Buffer.alloc(digestLength)])
  }

  /** The HMAC of a text in UTF-8, in base64url: 43 characters. */
  of(text: string): string {
    const inner = hash('sha256', Buffer.concat([this.#inner, Buffer.from(text)]), 'hex')
    this.#outer.write(inner, blockLength, 'hex')
    return hash('sha256', this.#outer, 'base64url')
  }
}
