/** Examples started as programs, for the tests of what they do; each is ended by its own id. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from './repository'

const running: Program[] = []

/** An example as a child process. */
export class Program {
  output = ''
  readonly exited: Promise<number | null>
  private readonly child: ChildProcess

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [join(root, 'scripts/lib/example.mjs'), ...args], { cwd: root })
    this.exited = once(this.child, 'exit').then(([code]) => code as number | null)
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk) => {
        this.output += chunk
      })
    }
    running.push(this)
  }

  /** Waits until the output matches. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    for (let attempt = 0; attempt < 1_500; attempt += 1) {
      const match = pattern.exec(this.output)
      if (match !== null) return match
      if (this.child.exitCode !== null) break
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`waited for ${pattern}, got:\n${this.output}`)
  }

  /** Ends it in order and returns its exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null) this.child.kill('SIGTERM')
    return this.exited
  }
}

/** Starts an example that listens; returns it with the ports that it took. */
export async function serve(...args: string[]): Promise<{ program: Program; ports: number[] }> {
  const program = new Program(args)
  await program.prints(/^ready$/m)
  const ports = [...program.output.matchAll(/^[a-z]+:\/\/\S+:(\d+)$/gm)].map(([, port]) => Number(port))
  return { program, ports }
}

/** Ends all that still run. */
export async function stopPrograms(): Promise<void> {
  await Promise.all(running.splice(0).map((program) => program.stop()))
}

/** Waits for something to become true; throws when it does not within ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1_000 && !condition(); attempt += 1)
    await new Promise((resolve) => setTimeout(resolve, 10))
  if (!condition()) throw new Error(`never became true: ${condition}`)
}
