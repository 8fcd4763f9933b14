import { type Topic, topics } from '@grantlog/contracts'

/** The partition of a stream within a topic: what every Kafka client computes from the key (murmur2, as Java's). */
export function partitionOf(topic: Topic, streamId: string): number {
  return slotOf(streamId, topics[topic].partitions)
}

/** One of `slots`, from 0 on, for a key. */
export function slotOf(key: string, slots: number): number {
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % slots
}

/** Austin Appleby's MurmurHash2 with Kafka's seed. */
function murmur2(data: Uint8Array): number {
  const m = 0x5bd1e995
  let h = 0x9747b28c ^ data.length
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const whole = data.length & ~3
  for (let i = 0; i < whole; i += 4) {
    let k = Math.imul(view.getInt32(i, true), m)
    k = Math.imul(k ^ (k >>> 24), m)
    h = Math.imul(h, m) ^ k
  }
  const rest = data.length - whole
  if (rest > 2) h ^= view.getUint8(whole + 2) << 16
  if (rest > 1) h ^= view.getUint8(whole + 1) << 8
  if (rest > 0) h = Math.imul(h ^ view.getUint8(whole), m)
  h = Math.imul(h ^ (h >>> 13), m)
  return (h ^ (h >>> 15)) | 0
}
