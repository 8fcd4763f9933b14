import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Problem } from '@grantlog/platform'
import { Controller, Get, Header, Param } from '@nestjs/common'

const folders = ['flow', 'browser'] as const

/** The modules that the browser loads: those of two folders as they were compiled, and the one package that they use. */
@Controller('assets')
export class AssetsController {
  readonly #modules = readModules()

  @Get(':folder/:name')
  @Header('content-type', 'text/javascript; charset=utf-8')
  module(@Param('folder') folder: string, @Param('name') name: string): string {
    const source = this.#modules.get(`${folder}/${name}`)
    if (source === undefined) throw new Problem(404, 'Not Found', 'There is no such module.')
    return source
  }
}

function readModules(): ReadonlyMap<string, string> {
  const modules = new Map<string, string>()
  for (const folder of folders) {
    const path = join(import.meta.dirname, '..', folder)
    for (const name of readdirSync(path).filter(file => file.endsWith('.js'))) {
      modules.set(`${folder}/${name}`, readFileSync(join(path, name), 'utf8'))
    }
  }
  // an import map would be inline script, which the pages' policy forbids
  const library = createRequire(import.meta.url).resolve('oauth4webapi')
  return modules.set('flow/oauth4webapi.js', readFileSync(library, 'utf8'))
}
