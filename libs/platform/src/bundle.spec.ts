import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'

const apps = join(import.meta.dirname, '../../../apps')
const bundled = readdirSync(apps).filter(name => existsSync(join(apps, name, 'dist/sbom.cdx.json')))

it('there are services of one file', () => {
  expect(bundled).toContain('token')
})

// V8 keeps the text of a program; one character beyond ASCII makes it take two bytes for each
it.each(bundled)('the one file of %s is in ASCII', name => {
  const file = readFileSync(join(apps, name, 'dist/main.js'))
  expect(file.findIndex(byte => byte > 0x7f)).toBe(-1)
})
