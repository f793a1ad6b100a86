/**
 * Reads the command line. Everything wrong with it is one line and exit code 2.
 */
import { parseArgs } from 'node:util'
import { configKeys } from '../config'
import { nearestName } from '../config/suggest'
import { ServerError } from '../errors'

/** The commands, with what each does. */
export const COMMANDS = {
  start: 'starts the server (also when no command is given)',
  'check-config': 'prints every setting in effect and where it came from, secrets masked',
} as const

/** What was asked for. */
export interface CommandLine {
  readonly command: keyof typeof COMMANDS | 'help' | 'version'
  /** Settings given as flags, by flag name. */
  readonly flags: Readonly<Record<string, string>>
  readonly configFile?: string
}

/**
 * Reads the arguments after the program's name.
 *
 * @throws ServerError with code CLI_USAGE or CONFIG_UNKNOWN_KEY
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const valued = ['config', ...configKeys.map((key) => key.flag)]
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean', short: 'V' },
  }
  for (const name of valued) options[name] = { type: 'string' }
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  const flags: Record<string, string> = {}
  const words: string[] = []
  let configFile: string | undefined
  let special: 'help' | 'version' | undefined
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    if (token.name === 'help' || token.name === 'version') {
      if (token.value !== undefined) throw usage(`${token.rawName} takes no value`)
      special ??= token.name
    } else if (!valued.includes(token.name)) {
      throw unknownFlag(token.rawName, token.name, [...valued, 'help', 'version'])
    } else if (token.value === undefined) {
      throw usage(`${token.rawName} needs a value`)
    } else if (token.name === 'config') {
      configFile = token.value
    } else {
      flags[token.name] = token.value
    }
  }
  const command = special ?? commandOf(words)
  return configFile === undefined ? { command, flags } : { command, flags, configFile }
}

function commandOf(words: readonly string[]): CommandLine['command'] {
  const [word = 'start', extra] = words
  if (word === 'help') return 'help'
  if (!Object.hasOwn(COMMANDS, word)) {
    const near = nearestName(word, Object.keys(COMMANDS))
    const hint = near === undefined ? `there are ${Object.keys(COMMANDS).join(' and ')}` : `did you mean ${near}?`
    throw usage(`${JSON.stringify(word.slice(0, 64))} is not a command; ${hint}`)
  }
  if (extra !== undefined) throw usage(`${word} takes no argument such as ${JSON.stringify(extra.slice(0, 64))}`)
  return word as keyof typeof COMMANDS
}

function unknownFlag(rawName: string, name: string, known: readonly string[]): ServerError {
  const near = nearestName(name, known)
  const hint = near === undefined ? '`carillon --help` lists what there is' : `did you mean --${near}?`
  return new ServerError('CONFIG_UNKNOWN_KEY', `flag ${rawName.slice(0, 64)} does not exist; ${hint}`)
}

function usage(message: string): ServerError {
  return new ServerError('CLI_USAGE', message)
}
