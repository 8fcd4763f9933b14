// `node tries.mjs MAIN`, with starts as JSON on stdin: begins MAIN again and again in this process, each time in another environment,
// and prints as JSON how each one ended. To load its modules takes a second; a start that its settings stop does no more after that.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [, , main] = process.argv
const starts = JSON.parse(readFileSync(0, 'utf8'))
const ends = []
const write = process.stdout.write.bind(process.stdout)
for (const [index, { env, args = [] }] of starts.entries()) {
  const end = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'])
    process[stream].write = text => {
      end[stream] += text
      return true
    }
  process.env = env
  process.argv = [process.execPath, main, ...args]
  process.exitCode = undefined
  await import(`${pathToFileURL(main)}?start=${index}`)
  const open = process.getActiveResourcesInfo().filter(resource => /TCP|Server/.test(resource))
  ends.push({ ...end, code: process.exitCode, open })
}
write(JSON.stringify(ends), () => process.exit(0))
