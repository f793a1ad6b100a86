/**
 * Runs SIPp (3.6 from Debian) with a scenario of the folder sipp/. Exit code 0 means that every call went as the
 * scenario says; anything else is a failure, reported with SIPp's own error file.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, freePortRange, loopback, untilListening } from './network.ts'
import { Program } from './program.ts'
import { domain, type User } from './server.ts'

/** SIPp binds ports for audio and video with those for their RTCP. */
const mediaPorts = 6
const scenarioDir = fileURLToPath(new URL('../sipp/', import.meta.url))

/** How to run a scenario. */
export interface SippOptions {
  readonly workDir: string
  /** Name of the file in sipp/, without .xml. */
  readonly scenario: string
  /** The scenario itself, in place of a file. */
  readonly xml?: string
  /** False when SIPp is to leave repetitions over UDP to the scenario: those of its own, and those of the peer. */
  readonly repeats?: boolean
  /** Where to send to; a UAS scenario has none. */
  readonly target?: string
  readonly transport?: 'u1' | 't1'
  /** Local port; a free one when not given. */
  readonly port?: number
  /** Who it is. */
  readonly user?: User
  /** Whom it calls. */
  readonly callee?: string
  /** Calls to make or to wait for; 1 when not given. */
  readonly calls?: number
  /** New calls a second. */
  readonly rate?: number
  /** Length of the scenario's open pauses. */
  readonly pauseMs?: number
  readonly timeoutMs?: number
  /** Put in place of {{NAME}} in the scenario. */
  readonly replace?: Readonly<Record<string, string>>
}

/** One run of SIPp. */
export class Sipp {
  readonly program: Program
  readonly port: number
  readonly #timeoutMs: number
  readonly #errorFile: string

  private constructor(program: Program, port: number, timeoutMs: number, errorFile: string) {
    this.program = program
    this.port = port
    this.#timeoutMs = timeoutMs
    this.#errorFile = errorFile
  }

  static async start(options: SippOptions): Promise<Sipp> {
    const folder = mkdtempSync(join(options.workDir, `${options.scenario}-`))
    const port = options.port ?? (await freePort())
    const timeoutMs = options.timeoutMs ?? 15_000
    const errorFile = join(folder, 'errors.log')
    const args = [
      ...(options.target === undefined ? [] : [options.target]),
      ...['-sf', scenarioFile(folder, options)],
      ...['-t', options.transport ?? 'u1', '-i', loopback, '-p', String(port)],
      ...['-mi', loopback, '-mp', String(freePortRange(mediaPorts))],
      ...['-m', String(options.calls ?? 1), '-r', String(options.rate ?? 10), '-l', String(options.calls ?? 1)],
      ...['-d', String(options.pauseMs ?? 500)],
      ...['-timeout', `${Math.ceil(timeoutMs / 1000)}s`, '-timeout_error'],
      ...['-trace_err', '-error_file', errorFile, '-nostdin'],
      ...(options.repeats === false ? ['-nr'] : []),
    ]
    if (options.user !== undefined)
      args.push('-inf', usersFile(folder, options.user, options.callee ?? options.user.name))
    const program = new Program({ name: `sipp ${options.scenario}`, command: 'sipp', args, cwd: folder })
    return new Sipp(program, port, timeoutMs, errorFile)
  }

  /** Resolves when its port is open; SIPp does not say so. */
  listens(): Promise<void> {
    return untilListening(this.program, this.port)
  }

  /** Resolves when every call went as the scenario says; rejects with SIPp's errors otherwise. */
  async passes(): Promise<void> {
    const exit = await this.program.waitForExit(this.#timeoutMs + 10_000)
    if (exit.code === 0) return
    throw new Error(`${this.program.name} failed (exit ${exit.code ?? exit.signal})\n${this.errors()}`)
  }

  /** What SIPp found wrong. */
  errors(): string {
    try {
      return readFileSync(this.#errorFile, 'utf8').slice(0, 4000)
    } catch {
      return this.program.tail(15)
    }
  }
}

/** Runs a scenario to its end. */
export async function runSipp(options: SippOptions): Promise<void> {
  const run = await Sipp.start(options)
  await run.passes()
}

function scenarioFile(folder: string, options: SippOptions): string {
  const path = join(scenarioDir, `${options.scenario}.xml`)
  if (options.replace === undefined && options.xml === undefined) return path
  let text = options.xml ?? readFileSync(path, 'utf8')
  for (const [name, value] of Object.entries(options.replace ?? {})) text = text.replaceAll(`{{${name}}}`, value)
  const copy = join(folder, 'scenario.xml')
  writeFileSync(copy, text)
  return copy
}

function usersFile(folder: string, user: User, callee: string): string {
  const path = join(folder, 'users.csv')
  const authentication = `[authentication username=${user.name} password=${user.password}]`
  writeFileSync(path, `SEQUENTIAL\n${user.name};${authentication};${callee};${domain}\n`)
  return path
}
