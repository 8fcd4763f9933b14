import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '@grantlog/platform'
import { Controller, Get, Header, Param } from '@nestjs/common'

const folders = ['flow', 'browser'] as const

/** The modules that the browser loads: two folders beside the bundled program. */
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
    const path = join(import.meta.dirname, folder)
    for (const name of readdirSync(path).filter(file => file.endsWith('.js'))) {
      modules.set(`${folder}/${name}`, readFileSync(join(path, name), 'utf8'))
    }
  }
  return modules
}
