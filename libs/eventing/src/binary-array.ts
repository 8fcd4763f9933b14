/**
 * An array as a parameter in Postgres's binary format (`array_recv`): nothing is escaped here and parsed there, which for hundreds of
 * values costs both more than storing them. A null stays one.
 */
export const binaryArray = {
  text: (values: readonly (string | null)[]): Buffer => {
    const sizes = values.map(value => (value === null ? 0 : Buffer.byteLength(value)))
    return write(25, values, sizes, (array, value, at) => array.write(value, at))
  },
  int4: (values: readonly (number | null)[]): Buffer =>
    write(23, values, sized(values, 4), (array, value, at) => array.writeInt32BE(value, at)),
  int8: (values: readonly (number | null)[]): Buffer =>
    write(20, values, sized(values, 8), (array, value, at) => array.writeBigInt64BE(BigInt(value), at)),
  uuid: (values: readonly string[]): Buffer =>
    write(2950, values, sized(values, 16), (array, value, at) =>
      array.write(value.replaceAll('-', ''), at, 'hex'),
    ),
  timestamptz: (values: readonly Date[]): Buffer =>
    write(1184, values, sized(values, 8), (array, value, at) =>
      array.writeBigInt64BE(BigInt(value.getTime() - postgresEpoch) * 1000n, at),
    ),
}

const postgresEpoch = Date.UTC(2000, 0)
const headBytes = 20

const sized = (values: readonly unknown[], bytes: number) => values.map(value => (value === null ? 0 : bytes))

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
