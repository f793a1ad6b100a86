/**
 * The text of `carillon --help`, written from the commands and the configuration schema.
 */
import { configKeys } from '../config'
import { VERSION } from '../version'
import { COMMANDS } from './arguments'

/** The help text, ending with a line break. */
export function helpText(): string {
  const commands = Object.entries(COMMANDS).map(([name, what]) => `  ${name.padEnd(14)}${what}`)
  const width = Math.max(...configKeys.map((key) => key.flag.length)) + 4
  const flags = configKeys.map((key) => {
    const byDefault = key.default === '' ? '' : ` (${key.default})`
    return `  --${key.flag.padEnd(width)}${key.type}${byDefault}`
  })
  return `${[
    `Carillon ${VERSION}: a SIP telephone server with relayed media.`,
    '',
    'usage: carillon [command] [flags]',
    '',
    ...commands,
    '',
    `  --${'config'.padEnd(width)}the configuration file (carillon.json in the data directory)`,
    `  --${'help'.padEnd(width)}this text`,
    `  --${'version'.padEnd(width)}the version`,
    '',
    'settings, with their defaults; each is also an environment variable, --sip-listen being CARILLON_SIP_LISTEN:',
    '',
    ...flags,
  ].join('\n')}\n`
}
