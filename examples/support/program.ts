/** What every example does around its SIP: read its options, say when it is ready, end in order when it is told to. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { SipStack, type SipStackOptions } from '@carillon/sip-transaction'

/** Reads the command line; a mistake prints the usage and ends the program with exit code 2. */
export function readOptions<const T extends NonNullable<ParseArgsConfig['options']>>(usage: string, options: T) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    return fail(`${describe(error)}\nusage: npm run example -- ${usage}`, 2)
  }
}

/** Reads a number of an option; a mistake ends the program with exit code 2. */
export function readNumber(name: string, text: string): number {
  const value = Number(text)
  return text.trim() !== '' && Number.isFinite(value) && value >= 0 ? value : fail(`--${name} is no number: ${text}`, 2)
}

/** Makes the stack, or says in one line why it cannot be made and ends the program with exit code 1. */
export async function startStack(options: SipStackOptions): Promise<SipStack> {
  try {
    return await SipStack.create({ userAgent: 'carillon-example', ...options })
  } catch (error) {
    return fail(describe(error), 1)
  }
}

/** Prints where the stack listens and `ready`, and closes it at SIGINT or SIGTERM, with which the program ends. */
export function serve(stack: SipStack): void {
  for (const { transport, address, port } of stack.listeners) {
    console.log(`${transport.toLowerCase()}://${address.includes(':') ? `[${address}]` : address}:${port}`)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stack.close({ graceMs: 0 }))
  console.log('ready')
}

/** Prints one line to standard error and ends the program. */
export function fail(line: string, code: number): never {
  console.error(line)
  process.exit(code)
}

/** An error in one line: its message says all that there is to know. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
