import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../installation.js'
import { configurationPage } from './configuration-page.js'
import { revocationsPage } from './revocations-page.js'
import { standardsPage } from './standards-page.js'

const pages = {
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/revocations.md': revocationsPage,
  'docs/reference/standards.md': standardsPage,
}

for (const [path, page] of Object.entries(pages)) {
  const text = page()
  const current = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined
  if (current === text) continue
  if (process.argv.includes('--check')) {
    console.error(`${path} is not fresh. Run \`npm run generate -w @grantlog/launcher\` after a build.`)
    process.exitCode = 1
  } else {
    writeFileSync(join(root, path), text)
    console.log(path)
  }
}
