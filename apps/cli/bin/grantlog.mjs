#!/usr/bin/env node
// Runs the program on the Node that the project pins, whatever the machine has.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const main = join(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), '../dist/main.js')
if (existsSync(main)) {
  const node = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin/node')
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
  })
} else {
  process.stderr.write('grantlog is not built yet: npm start, or npm run build, does that.\n')
  process.exitCode = 1
}
