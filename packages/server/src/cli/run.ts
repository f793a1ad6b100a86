/**
 * The command: reads the command line and the configuration, and does what was asked. Ends with an exit code, never
 * with an exception: 0 done, 1 could not, 2 wrong configuration or usage.
 */
import { describeConfig, loadConfig, machineAddresses, resolveAddresses } from '../config'
import { ServerError } from '../errors'
import { type ProcessHost, serve } from '../main'
import { VERSION } from '../version'
import { parseCommandLine } from './arguments'
import { helpText } from './help'

/** What the command needs of its process. */
export interface CommandHost extends ProcessHost {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

/** Runs the command to its end and returns the exit code. */
export async function runCommand(args: readonly string[], host: CommandHost): Promise<number> {
  try {
    const line = parseCommandLine(args)
    if (line.command === 'help') return print(host, helpText())
    if (line.command === 'version') return print(host, `${VERSION}\n`)
    const loaded = loadConfig({
      env: host.env,
      flags: line.flags,
      cwd: host.cwd,
      ...(line.configFile === undefined ? {} : { configFile: line.configFile }),
    })
    const addresses = resolveAddresses(loaded.config, await machineAddresses())
    if (line.command === 'check-config') return print(host, describeConfig(loaded, addresses))
    return await serve(loaded.config, addresses, host)
  } catch (error) {
    if (!(error instanceof ServerError)) throw error
    host.stderr(`carillon: ${error.message}\n`)
    return error.exitCode
  }
}

function print(host: CommandHost, text: string): number {
  host.stdout(text)
  return 0
}
