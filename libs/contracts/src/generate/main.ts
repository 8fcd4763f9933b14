import { join } from 'node:path'
import { generate, problems } from './files.js'

const root = join(import.meta.dirname, '../../../..')

if (process.argv.includes('--check')) {
  const found = problems(root)
  for (const problem of found) console.error(problem)
  if (found.length > 0) {
    console.error(
      'Run `npm run generate -w @grantlog/contracts` after a build. A corpus file is never edited.',
    )
    process.exitCode = 1
  }
} else {
  for (const path of generate(root)) console.log(path)
}
