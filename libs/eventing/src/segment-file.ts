import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import {
  canonicalJson,
  type Envelope,
  eventLine,
  MerkleRange,
  parseEventLine,
  type Service,
} from '@grantlog/contracts'

/** An event of a segment: as it goes on the wire, and what never leaves the service. */
export interface ArchivedEvent {
  readonly event: Envelope
  readonly internal: object | null
}

/** The last line of the file: which events these are, and what their canonical lines come to (RFC 6962 §2.1). */
export interface SegmentSummary {
  readonly format: 'grantlog.segment.v1'
  readonly service: Service
  readonly firstSeq: number
  readonly lastSeq: number
  /** Base64; leaf n of the tree is the event with number n + 1. */
  readonly range: readonly string[]
}

/**
 * Writes a segment as gzipped lines of JSON, an event each and the summary at the end; the file gets its name when all of it is on
 * the disk.
 * @returns the summary, and the SHA-256 of the file
 */
export async function writeSegmentFile(
  path: string,
  service: Service,
  after: number,
  events: AsyncIterable<readonly ArchivedEvent[]>,
): Promise<{ summary: SegmentSummary; sha256: string }> {
  const range = new MerkleRange(after)
  async function* lines() {
    for await (const some of events) {
      let text = ''
      for (const { event, internal } of some) {
        range.append(eventLine(event))
        text += `${canonicalJson({ event, internal })}\n`
      }
      yield text
    }
    yield `${canonicalJson(summaryOf(service, range))}\n`
  }
  const digest = createHash('sha256')
  const digesting = new Transform({
    transform(chunk, _, done) {
      digest.update(chunk)
      done(null, chunk)
    },
  })
  const part = `${path}.part`
  await pipeline(lines(), createGzip(), digesting, createWriteStream(part, { mode: 0o600, flush: true }))
  await rename(part, path)
  const folder = await open(dirname(path))
  await folder.sync().finally(() => folder.close())
  return { summary: summaryOf(service, range), sha256: digest.digest('hex') }
}

/**
 * Reads a segment's events, and checks each against the whole: that they are all there, in order, and come to the range that the
 * file states.
 * @returns, at the end, the summary
 * @throws Error with a sentence about what the file is instead
 */
export async function* readSegmentFile(path: string): AsyncGenerator<ArchivedEvent, SegmentSummary> {
  let range: MerkleRange | undefined
  let stated: SegmentSummary | undefined
  for await (const line of linesOf(path)) {
    if (stated !== undefined) throw new Error(`${path} goes on after its end`)
    const read = JSON.parse(line) as ArchivedEvent | SegmentSummary
    if ('format' in read) {
      stated = read
      continue
    }
    const event = parseEventLine(JSON.stringify(read.event)) // its own canonical line is checked against the range below
    range ??= new MerkleRange(event.logseq - 1)
    if (event.logseq !== range.end + 1)
      throw new Error(`${path}: event ${event.logseq} stands behind ${range.end}`)
    range.append(eventLine(event))
    yield { ...read, event }
  }
  if (stated === undefined || range === undefined)
    throw new Error(`${path} is cut off: it has no summary at its end`)
  const found = summaryOf(stated.service, range)
  if (canonicalJson(found) !== canonicalJson(stated))
    throw new Error(`${path} was changed: its events are not those that its summary tells`)
  return stated
}

async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = ''
  const decoder = new TextDecoder()
  const unzipped = createGunzip()
  pipeline(createReadStream(path), unzipped).catch(() => undefined) // the loop below throws it
  for await (const chunk of unzipped) {
    const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') throw new Error(`${path} is cut off in the middle of a line`)
}

/** The SHA-256 of a file, hex. */
export async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path)) digest.update(chunk)
  return digest.digest('hex')
}

function summaryOf(service: Service, range: MerkleRange): SegmentSummary {
  const { begin, end, hashes } = range
  return { format: 'grantlog.segment.v1', service, firstSeq: begin + 1, lastSeq: end, range: hashes }
}
