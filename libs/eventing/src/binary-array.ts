/**
 * An array as a parameter in Postgres's binary format (`array_recv`): nothing is escaped here and parsed there, which for hundreds of
 * values costs both more than storing them. A null stays one.
 */
export const binaryArray = {
  text: (values: readonly (string | null)[]): Buffer => write(25, values, textBytes, writeText),
  json: (values: readonly (string | null)[]): Buffer => write(114, values, textBytes, writeText),
  int4: (values: readonly (number | null)[]): Buffer => write(23, values, fourBytes, writeInt4),
  int8: (values: readonly (number | null)[]): Buffer => write(20, values, eightBytes, writeInt8),
  uuid: (values: readonly string[]): Buffer => write(2950, values, sixteenBytes, writeUuid),
  timestamptz: (values: readonly Date[]): Buffer => write(1184, values, eightBytes, writeTime),
}

const postgresEpoch = Date.UTC(2000, 0)
const headBytes = 20

// Not where they are used: of functions that live for one call V8 forgets with each collection what it compiled.
const textBytes = (value: string) => Buffer.byteLength(value)
const fourBytes = () => 4
const eightBytes = () => 8
const sixteenBytes = () => 16
const writeText = (array: Buffer, value: string, at: number) => at + array.write(value, at)
const writeInt4 = (array: Buffer, value: number, at: number) => array.writeInt32BE(value, at)
/** Of a safe integer. */
const writeInt8 = (array: Buffer, value: number, at: number) => {
  array.writeInt32BE(Math.floor(value / 2 ** 32), at)
  return array.writeUInt32BE(value >>> 0, at + 4)
}
const writeUuid = (array: Buffer, value: string, at: number) =>
  at + array.write(value.replaceAll('-', ''), at, 'hex')
const writeTime = (array: Buffer, value: Date, at: number) =>
  writeInt8(array, (value.getTime() - postgresEpoch) * 1000, at)

/**
 * Nothing is made of a value on the way: what a batch makes is what pushes Postgres out of the caches of the processor that they share.
 * @param writeValue returns where the value ends
 */
function write<Value>(
  elementType: number,
  values: readonly (Value | null)[],
  bytes: (value: Value) => number,
  writeValue: (array: Buffer, value: Value, at: number) => number,
): Buffer {
  let size = headBytes
  for (const value of values) size += 4 + (value === null ? 0 : bytes(value))
  const array = Buffer.allocUnsafe(size)
  const [dimensions, lowerBound] = [1, 1]
  array.writeInt32BE(dimensions, 0)
  array.writeInt32BE(values.includes(null) ? 1 : 0, 4)
  array.writeInt32BE(elementType, 8)
  array.writeInt32BE(values.length, 12)
  array.writeInt32BE(lowerBound, 16)
  let at = headBytes
  for (const value of values) {
    const end = value === null ? at + 4 : writeValue(array, value, at + 4)
    array.writeInt32BE(value === null ? -1 : end - at - 4, at)
    at = end
  }
  return array
}
