/**
 * Chromium of Debian without a window, and in each of its pages one JsSIP that speaks SIP over WebSocket (RFC 7118).
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { Program } from './program.ts'
import { domain, type User } from './server.ts'

const bundler = fileURLToPath(new URL('../../../node_modules/tsup/dist/cli-default.js', import.meta.url))
const library = fileURLToPath(import.meta.resolve('jssip'))
const flags = [
  '--no-sandbox',
  '--ignore-certificate-errors',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** What a page keeps of its user agent; `window` has it under `phone`. */
interface PagePhone {
  readonly log: string[]
  readonly received: string[]
  send(target: string, text: string): Promise<string>
  start(): Promise<string>
  stop(): Promise<string>
}

declare global {
  var phone: PagePhone
  var startPhone: (options: { url: string; uri: string; password: string }) => void
}

/** One user agent in one page. */
export class BrowserPhone {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  /** Connects and registers; resolves with what came of it. */
  register(): Promise<string> {
    return this.#page.evaluate(() => globalThis.phone.start())
  }

  /** Takes the registration back and closes the connection. */
  unregister(): Promise<string> {
    return this.#page.evaluate(() => globalThis.phone.stop())
  }

  /** Sends a MESSAGE; resolves with the status of its answer. */
  send(target: string, text: string): Promise<string> {
    return this.#page.evaluate(([to, body]) => globalThis.phone.send(to, body), [target, text] as const)
  }

  /** Closes the page without a word to anybody. */
  vanish(): Promise<void> {
    return this.#page.close()
  }

  /** Resolves with the texts received, once there are so many. */
  async received(count: number): Promise<string[]> {
    await this.#page.waitForFunction((least) => globalThis.phone.received.length >= least, count, { timeout: 10_000 })
    return this.#page.evaluate(() => globalThis.phone.received)
  }

  /** What the user agent has told, for a failure report. */
  log(): Promise<string[]> {
    return this.#page.evaluate(() => globalThis.phone?.log ?? [])
  }
}

/** A running browser. */
export class BrowserPhones {
  readonly #browser: Browser
  readonly #script: string

  private constructor(browser: Browser, script: string) {
    this.#browser = browser
    this.#script = script
  }

  static async start(workDir: string): Promise<BrowserPhones> {
    // The package of JsSIP has modules for bundlers only.
    const out = join(workDir, 'bundle')
    const options = ['--format', 'iife', '--platform', 'browser', '--global-name', 'JsSIP', '--no-config', '--no-dts']
    const args = [bundler, library, ...options, '--out-dir', out]
    const program = new Program({ name: 'tsup', command: process.execPath, args, cwd: workDir })
    const exit = await program.waitForExit(20_000)
    if (exit.code !== 0) throw new Error(`JsSIP could not be bundled\n${program.tail()}`)
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags, timeout: 30_000 })
    return new BrowserPhones(browser, join(out, 'JsSIP.global.js'))
  }

  /** A page of its own with a user agent that is not connected yet. */
  async open(user: User, port: number): Promise<BrowserPhone> {
    const context = await this.#browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    await page.addScriptTag({ path: this.#script })
    await page.addScriptTag({ path: fileURLToPath(new URL('../browser/phone.js', import.meta.url)) })
    const { name, password } = user
    await page.evaluate((options) => globalThis.startPhone(options), {
      url: `wss://127.0.0.1:${port}`,
      uri: `sip:${name}@${domain}`,
      password,
    })
    return new BrowserPhone(page)
  }

  stop(): Promise<void> {
    return this.#browser.close()
  }
}
