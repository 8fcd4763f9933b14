import { prepareDatabase } from '@grantlog/eventing'
import { type Command, readArguments } from '../command.js'
import { readSecret, settingOf } from '../secret.js'
import { UsageError } from '../usage-error.js'

export const dbPrepare: Command = {
  usage: 'db prepare NAME [--owner-password FILE] [--password FILE]',
  summary:
    'make a service’s database, its owner, and the role that the service runs as; or set their passwords anew',
  options: {
    NAME: 'of the database and of the role that the service runs as; its owner is NAME_owner',
    '--owner-password FILE': 'holds the owner’s password; OWNER_PASSWORD without it',
    '--password FILE': 'holds the other one’s; SERVICE_PASSWORD without it',
    ADMIN_DATABASE_URL:
      'in the environment, or its file in ADMIN_DATABASE_URL_FILE: who may make roles and databases',
  },
  async run(args) {
    const { values, words } = readArguments(args, {
      'owner-password': { type: 'string' },
      password: { type: 'string' },
    })
    const [name = '', ...more] = words
    if (more.length > 0 || !/^[a-z][a-z0-9_]{0,50}$/.test(name))
      throw new UsageError('Name one database, in small letters, digits and underlines.')
    const admin = settingOf('ADMIN_DATABASE_URL')
    if (admin === undefined || !/^postgres(ql)?:\/\//.test(admin))
      throw new UsageError('ADMIN_DATABASE_URL must be postgres://….')
    const passwordOf = (file: string | undefined, variable: string) => {
      const password = file === undefined ? settingOf(variable) : readSecret(file)
      if (password === undefined) throw new UsageError(`${variable} is missing.`)
      return password
    }
    const owner = { name: `${name}_owner`, password: passwordOf(values['owner-password'], 'OWNER_PASSWORD') }
    const service = { name, password: passwordOf(values.password, 'SERVICE_PASSWORD') }
    await prepareDatabase(admin, name, { owner, service })
    process.stdout.write(`${name}: ${owner.name} owns it, the service runs as ${name}\n`)
  },
}
