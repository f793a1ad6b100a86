/**
 * A child process of the interop tests: its output is kept (the last part of it), it can be waited for, and it is
 * ended by its own process id, never by name. Whatever is still running when the tests end is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'

const OUTPUT_CHARS_MAX = 200_000
const running = new Set<Program>()

process.on('exit', () => {
  for (const program of running) program.kill()
})

/** How a child process ended. */
export interface ProgramExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** What to run. */
export interface ProgramOptions {
  /** What to call it in a failure report. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

/** One running (or ended) child process. */
export class Program {
  readonly name: string
  readonly exited: Promise<ProgramExit>
  readonly #child: ChildProcess
  #output = ''
  #written = 0
  #exit: ProgramExit | undefined
  readonly #watchers = new Set<() => void>()

  constructor(options: ProgramOptions) {
    this.name = options.name
    this.#child = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(this)
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#collect(text))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#collect(text))
    this.exited = new Promise((resolve) => {
      const done = (exit: ProgramExit): void => {
        if (this.#exit !== undefined) return
        this.#exit = exit
        running.delete(this)
        for (const watcher of [...this.#watchers]) watcher()
        resolve(exit)
      }
      this.#child.on('error', (error) => {
        this.#collect(`${error.message}\n`)
        done({ code: null, signal: null })
      })
      this.#child.on('close', (code, signal) => done({ code, signal }))
    })
  }

  /** The process id; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** What it has written so far, standard output and error together. */
  get output(): string {
    return this.#output
  }

  get hasExited(): boolean {
    return this.#exit !== undefined
  }

  /** Resolves with the match when the output matches; rejects when it ends first or `timeoutMs` passes. */
  waitFor(pattern: RegExp, timeoutMs: number): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const settle = (action: () => void): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        action()
      }
      const look = (): void => {
        const match = this.#output.match(pattern)
        if (match !== null) settle(() => resolve(match))
        else if (this.#exit !== undefined) settle(() => reject(new Error(`${this.name} ended before ${pattern}`)))
      }
      const timer = setTimeout(() => {
        settle(() => reject(new Error(`${this.name} did not print ${pattern} within ${timeoutMs} ms`)))
      }, timeoutMs)
      this.#watchers.add(look)
      look()
    })
  }

  /** Resolves when it has ended; rejects after `timeoutMs`, leaving it running. */
  async waitForExit(timeoutMs: number): Promise<ProgramExit> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${this.name} was still running after ${timeoutMs} ms`)), timeoutMs)
    })
    try {
      return await Promise.race([this.exited, late])
    } finally {
      clearTimeout(timer)
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#exit === undefined) this.#child.kill(signal)
  }

  /** Ends it at once. */
  kill(): void {
    this.signal('SIGKILL')
  }

  /** Asks it to end, and makes it end when it has not after `graceMs`. */
  async stop(graceMs = 3000): Promise<void> {
    if (this.#exit !== undefined) return
    this.signal('SIGTERM')
    const timer = setTimeout(() => this.kill(), graceMs)
    await this.exited
    clearTimeout(timer)
  }

  /** How much it has written in all; give it to `tail` to see only what comes later. */
  get written(): number {
    return this.#written
  }

  /** The last lines of the output, terminal controls and progress lines removed, for a failure report. */
  tail(lines = 40, since = 0): string {
    const fresh = Math.min(this.#output.length, this.#written - since)
    const plain = this.#output
      .slice(this.#output.length - fresh)
      .replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
      .replace(/\r(?!\n)/g, '\n')
      .split('\n')
      .filter((line) => line.trim() !== '' && !/^\s*\[\d+:\d+:\d+\] audio=/.test(line))
    return plain.slice(-lines).join('\n')
  }

  #collect(text: string): void {
    this.#output += text
    this.#written += text.length
    if (this.#output.length > OUTPUT_CHARS_MAX) this.#output = this.#output.slice(-OUTPUT_CHARS_MAX / 2)
    for (const watcher of [...this.#watchers]) watcher()
  }
}
