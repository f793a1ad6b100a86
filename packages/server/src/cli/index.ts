/**
 * The entry of the `carillon` command: joins it to the process it runs in.
 */
import { runCommand } from './run'

// Whoever read the output may be gone; that is no reason to end calls.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

runCommand(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  onStopSignal(listener) {
    process.on('SIGTERM', listener)
    process.on('SIGINT', listener)
    return () => {
      process.off('SIGTERM', listener)
      process.off('SIGINT', listener)
    }
  },
}).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`carillon: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
