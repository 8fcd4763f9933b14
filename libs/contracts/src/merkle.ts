import { createHash } from 'node:crypto'

interface Node {
  /** 0 for a leaf. */
  readonly level: number
  /** Which of its level, counted over the whole tree. */
  readonly index: number
  readonly hash: Buffer
}

/**
 * What a stretch of a Merkle tree's leaves comes to (RFC 6962 §2.1): the roots of the largest complete subtrees in it, at most two
 * per level. Stretches that meet make a longer one, without their leaves; one from the first leaf on gives the tree's root.
 */
export class MerkleRange {
  readonly #nodes: Node[] = []
  #end: number

  /** An empty stretch. @param begin which leaf would be its first, from 0 */
  constructor(readonly begin: number) {
    this.#end = begin
  }

  /** The leaf behind its last, from 0. */
  get end(): number {
    return this.#end
  }

  /** The hashes in the order of the leaves, base64: with `begin` and `end` all that there is to keep. */
  get hashes(): string[] {
    return this.#nodes.map(({ hash }) => hash.toString('base64'))
  }

  /** @throws RangeError when so many hashes do not belong to such a stretch */
  static of(begin: number, end: number, hashes: readonly string[]): MerkleRange {
    const range = new MerkleRange(begin)
    for (const hash of hashes) {
      let level = 0
      while (range.#end % 2 ** (level + 1) === 0 && range.#end + 2 ** (level + 1) <= end) level += 1
      range.#add({ level, index: range.#end / 2 ** level, hash: Buffer.from(hash, 'base64') })
    }
    if (range.#end !== end)
      throw new RangeError(`${hashes.length} hashes do not make the leaves ${begin} to ${end}`)
    return range
  }

  /** Adds the next leaf. @param data its bytes, before they are hashed */
  append(data: string | Buffer): void {
    this.#add({ level: 0, index: this.#end, hash: sha256(leafMark, data) })
  }

  /** This stretch and the one that begins where it ends. @throws RangeError when it begins elsewhere */
  join(next: MerkleRange): MerkleRange {
    if (next.begin !== this.#end) throw new RangeError(`Leaf ${next.begin} does not follow ${this.#end}`)
    const joined = new MerkleRange(this.begin)
    for (const node of [...this.#nodes, ...next.#nodes]) joined.#add(node)
    return joined
  }

  /** The hash of the tree of all leaves so far. @throws RangeError for a stretch that does not begin with the first */
  root(): Buffer {
    if (this.begin !== 0) throw new RangeError(`The leaves before ${this.begin} are missing`)
    const right = this.#nodes.at(-1)
    if (right === undefined) return sha256(Buffer.alloc(0), '')
    return this.#nodes.slice(0, -1).reduceRight((hash, left) => parent(left.hash, hash), right.hash)
  }

  #add(node: Node): void {
    this.#end += 2 ** node.level
    let added = node
    for (let before = this.#nodes.at(-1); before !== undefined; before = this.#nodes.at(-1)) {
      if (before.level !== added.level || before.index % 2 !== 0 || before.index + 1 !== added.index) break
      this.#nodes.pop()
      added = { level: added.level + 1, index: before.index / 2, hash: parent(before.hash, added.hash) }
    }
    this.#nodes.push(added)
  }
}

const leafMark = Buffer.from([0])
const nodeMark = Buffer.from([1])

const parent = (left: Buffer, right: Buffer) => sha256(nodeMark, Buffer.concat([left, right]))

function sha256(mark: Buffer, data: string | Buffer): Buffer {
  return createHash('sha256').update(mark).update(data).digest()
}
