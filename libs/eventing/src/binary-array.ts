/**
 * An array as a parameter in Postgres's binary format (`array_recv`): nothing is escaped here and parsed there, which for hundreds of
 * values costs both more than storing them. A null stays one.
 */
export const binaryArray = {
  text: (values: readonly (string | null)[]): Buffer => write(25, values, values.map(textBytes), writeText),
  json: (values: readonly (string | null)[]): Buffer => write(114, values, values.map(textBytes), writeText),
  int4: (values: readonly (number | null)[]): Buffer => write(23, values, values.map(fourBytes), writeInt4),
  int8: (values: readonly (number | null)[]): Buffer => write(20, values, values.map(eightBytes), writeInt8),
  uuid: (values: readonly string[]): Buffer => write(2950, values, values.map(sixteenBytes), writeUuid),
  timestamptz: (values: readonly Date[]): Buffer => write(1184, values, values.map(eightBytes), writeTime),
}

const postgresEpoch = Date.UTC(2000, 0)
const headBytes = 20

// Not where they are used: of functions that live for one call V8 forgets with each collection what it compiled.
const textBytes = (value: string | null) => (value === null ? 0 : Buffer.byteLength(value))
const fourBytes = (value: unknown) => (value === null ? 0 : 4)
const eightBytes = (value: unknown) => (value === null ? 0 : 8)
const sixteenBytes = (value: unknown) => (value === null ? 0 : 16)
const writeText = (array: Buffer, value: string, at: number) => array.write(value, at)
const writeInt4 = (array: Buffer, value: number, at: number) => array.writeInt32BE(value, at)
const writeInt8 = (array: Buffer, value: number, at: number) => array.writeBigInt64BE(BigInt(value), at)
const writeUuid = (array: Buffer, value: string, at: number) =>
  array.write(value.replaceAll('-', ''), at, 'hex')
const writeTime = (array: Buffer, value: Date, at: number) =>
  array.writeBigInt64BE(BigInt(value.getTime() - postgresEpoch) * 1000n, at)

function write<Value>(
  elementType: number,
  values: readonly (Value | null)[],
  sizes: readonly number[],
  writeValue: (array: Buffer, value: Value, at: number) => unknown,
): Buffer {
  const array = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + 4 + size, headBytes))
  const [dimensions, lowerBound] = [1, 1]
  array.writeInt32BE(dimensions, 0)
  array.writeInt32BE(values.includes(null) ? 1 : 0, 4)
  array.writeInt32BE(elementType, 8)
  array.writeInt32BE(values.length, 12)
  array.writeInt32BE(lowerBound, 16)
  let at = headBytes
  for (const [index, value] of values.entries()) {
    const size = sizes[index] ?? 0
    array.writeInt32BE(value === null ? -1 : size, at)
    if (value !== null) writeValue(array, value, at + 4)
    at += 4 + size
  }
  return array
}
