/**
 * The public shape of a package as text: every name that its entry points export, sorted, with its declaration as a
 * user's compiler sees it, and the declarations that those lean on without being exported. Private members, bodies and
 * comments are left out, so that the text changes when the API does and at no other time.
 */
import { join, posix, relative } from 'node:path'
import ts from 'typescript'
import { read, root } from './repository'

/** One package's report. */
export interface ApiReport {
  /** The package's folder below packages/. */
  readonly name: string
  readonly text: string
}

/** The packages that are published. */
export const API_PACKAGES = ['rtp-relay', 'server', 'sip-parser', 'sip-transaction'] as const

type Named = ts.DeclarationStatement | ts.VariableStatement

/** The reports of all packages, in the order of {@link API_PACKAGES}. */
export function apiReports(): ApiReport[] {
  const entries = API_PACKAGES.map((name) => ({ name, paths: entryPoints(name) }))
  const declared = declarationsOf(entries.flatMap(({ paths }) => [...paths.values()]))
  return entries.map(({ name, paths }) => ({ name, text: new Report(declared, name, paths).text() }))
}

/**
 * The blocks of a report by heading and name, to say which of them differ: `. class Foo` for a line that begins a
 * declaration below the entry point `.`.
 */
export function apiDifferences(before: string, after: string): string[] {
  const [old, now] = [blocksOf(before), blocksOf(after)]
  const names = [...new Set([...old.keys(), ...now.keys()])].sort(byCode)
  return names
    .filter((name) => old.get(name) !== now.get(name))
    .map((name) => `${!old.has(name) ? 'added' : !now.has(name) ? 'removed' : 'changed'} ${name}`)
}

/** Entry points by subpath (`.`, `./testing`): the source behind each entry of `exports`. */
function entryPoints(name: string): Map<string, string> {
  const { exports } = JSON.parse(read(`packages/${name}/package.json`)) as { exports: Record<string, unknown> }
  const found = new Map<string, string>()
  for (const [subpath, target] of Object.entries(exports)) {
    if (typeof target !== 'object' || target === null || !('carillon-source' in target)) continue
    found.set(subpath, join(root, 'packages', name, String(target['carillon-source'])))
  }
  return found
}

/** A program over the declaration files of all sources that the entry points reach. Nothing is written to disk. */
function declarationsOf(entries: string[]): ts.Program {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile) as { config: object }
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root)
  const sources = ts.createProgram(entries, {
    ...options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    noCheck: true,
    allowImportingTsExtensions: false,
    types: ['node'],
    typeRoots: [join(root, 'test/node_modules/@types'), join(root, 'node_modules/@types')],
  })
  const texts = new Map<string, string>()
  sources.emit(undefined, (path, text) => texts.set(path, text), undefined, true)
  const bare: ts.CompilerOptions = { ...options, noLib: true, types: [], skipLibCheck: true }
  const host = ts.createCompilerHost(bare)
  const { fileExists, getSourceFile } = host
  host.fileExists = (path) => texts.has(path) || fileExists(path)
  host.getSourceFile = (path, language, ...rest) => {
    const text = texts.get(path.replace(/\.ts$/, '.d.ts')) ?? texts.get(path)
    if (text !== undefined) return ts.createSourceFile(path, text, language, true, ts.ScriptKind.TS)
    return path.includes('/node_modules/') ? undefined : getSourceFile(path, language, ...rest)
  }
  return ts.createProgram(entries, bare, host)
}

/** Collects one package's exports, and what they lean on, and prints them. */
class Report {
  readonly #program: ts.Program
  readonly #checker: ts.TypeChecker
  readonly #folder: string
  readonly #entries: Map<string, string>
  readonly #name: string
  readonly #exported = new Set<ts.Symbol>()
  /** Declarations of this package that a printed one names, in the order in which they were met. */
  readonly #needed = new Set<ts.Symbol>()

  constructor(program: ts.Program, name: string, entries: Map<string, string>) {
    this.#program = program
    this.#checker = program.getTypeChecker()
    this.#name = name
    this.#folder = join(root, 'packages', name, 'src')
    this.#entries = entries
  }

  text(): string {
    const parts = [`Public API of @carillon/${this.#name}, written by a test: review a change, then let it write anew.`]
    const groups = [...this.#entries].map(([subpath, path]) => ({ subpath, exports: this.#exportsOf(path) }))
    for (const { exports } of groups) for (const symbol of exports.values()) this.#exported.add(symbol)
    for (const { subpath, exports } of groups) {
      parts.push(`==== ${subpath}`)
      for (const name of [...exports.keys()].sort(byCode))
        parts.push(...this.#print(name, exports.get(name) as ts.Symbol))
    }
    const inner: [string, string][] = []
    for (const symbol of this.#needed) {
      const [first] = symbol.declarations ?? []
      const file = first ? posix.normalize(relative(this.#folder, first.getSourceFile().fileName)) : ''
      inner.push([`${symbol.name} ${file}`, this.#print(symbol.name, symbol).join('\n\n')])
    }
    if (inner.length > 0) parts.push('==== named by the above, not exported')
    for (const [, text] of inner.sort(([a], [b]) => byCode(a, b))) parts.push(text)
    return `${parts.join('\n\n')}\n`
  }

  #exportsOf(path: string): Map<string, ts.Symbol> {
    const file = this.#program.getSourceFile(path)
    const module = file && this.#checker.getSymbolAtLocation(file)
    if (!module) throw new Error(`no declarations for ${path}`)
    return new Map(this.#checker.getExportsOfModule(module).map((symbol) => [symbol.name, this.#resolved(symbol)]))
  }

  #resolved(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol
  }

  #print(name: string, symbol: ts.Symbol): string[] {
    const printed: string[] = []
    for (const declaration of symbol.declarations ?? []) {
      const file = declaration.getSourceFile()
      if (!file.fileName.startsWith(`${this.#folder}/`)) {
        const other = /\/packages\/([^/]+)\/src\//.exec(file.fileName)?.[1]
        return [`export ${name} from @carillon/${other ?? '?'}`]
      }
      const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
      const variable = ts.isVariableDeclaration(declaration) ? declaration : undefined
      const visible = this.#visible(statement as Named, variable, this.#exported.has(symbol))
      const text = printer.printNode(ts.EmitHint.Unspecified, visible, file)
      printed.push(
        text.replace(/^(export )?(declare )?/, '').replace(/^ {4,}/gm, (indent) => indent.slice(indent.length / 2)),
      )
      this.#need(visible)
    }
    if (printed.length === 0) throw new Error(`${name} of @carillon/${this.#name} has no declaration`)
    return printed
  }

  /** Notes what a declaration names out of this package that is not exported. */
  #need(node: ts.Node): void {
    const visit = (child: ts.Node): void => {
      if (ts.isIdentifier(child) && child.parent && !isDeclared(child)) {
        const found = this.#checker.getSymbolAtLocation(child)
        const symbol = found && this.#resolved(found)
        if (symbol && !this.#exported.has(symbol) && !this.#needed.has(symbol) && this.#isTopLevel(symbol)) {
          this.#needed.add(symbol)
        }
      }
      ts.forEachChild(child, visit)
    }
    visit(node)
  }

  /** The declaration without what is not public; of several variables only the one asked for. */
  #visible(statement: Named, variable: ts.VariableDeclaration | undefined, isExported: boolean): ts.Node {
    const { factory } = ts
    if (variable && ts.isVariableStatement(statement)) {
      const list = factory.updateVariableDeclarationList(statement.declarationList, [variable])
      return factory.updateVariableStatement(statement, statement.modifiers, list)
    }
    if (ts.isInterfaceDeclaration(statement)) {
      const { modifiers, name, typeParameters, heritageClauses } = statement
      const members = statement.members.filter((member) => !isHidden(member))
      return factory.updateInterfaceDeclaration(statement, modifiers, name, typeParameters, heritageClauses, members)
    }
    if (!ts.isClassDeclaration(statement)) return statement
    const { modifiers, name, typeParameters, heritageClauses } = statement
    const isFinal =
      !isExported || statement.members.some((member) => ts.isConstructorDeclaration(member) && isHidden(member))
    const members = statement.members
      .filter((member) =>
        ts.isConstructorDeclaration(member) ? isExported : !isHidden(member) && !(isFinal && isProtected(member)),
      )
      .map((member) => (isHidden(member) ? internalConstructor : member))
    const heritage = heritageClauses?.flatMap((clause) => this.#exportedHeritage(clause))
    return factory.updateClassDeclaration(statement, modifiers, name, typeParameters, heritage, members)
  }

  /** An `implements` of something that is not exported promises nothing to users. */
  #exportedHeritage(clause: ts.HeritageClause): ts.HeritageClause[] {
    if (clause.token !== ts.SyntaxKind.ImplementsKeyword) return [clause]
    const types = clause.types.filter(({ expression }) => {
      const symbol = this.#checker.getSymbolAtLocation(expression)
      return symbol === undefined || this.#exported.has(this.#resolved(symbol))
    })
    return types.length === 0 ? [] : [ts.factory.updateHeritageClause(clause, types)]
  }

  #isTopLevel(symbol: ts.Symbol): boolean {
    const [first] = symbol.declarations ?? []
    const statement = first && ts.isVariableDeclaration(first) ? first.parent.parent : first
    return (
      statement !== undefined &&
      statement.parent !== undefined &&
      ts.isSourceFile(statement.parent) &&
      statement.getSourceFile().fileName.startsWith(`${this.#folder}/`)
    )
  }
}

const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed })

/** A member that is private, or marked `@internal`; a constructor is then shown as private. */
function isHidden(node: ts.Node): boolean {
  if (!ts.isClassElement(node) && !ts.isTypeElement(node)) return false
  if (node.name && ts.isPrivateIdentifier(node.name)) return true
  if (ts.getCombinedModifierFlags(node as ts.Declaration) & ts.ModifierFlags.Private) return true
  return ts.getJSDocTags(node).some((tag) => tag.tagName.text === 'internal')
}

/** A class that users do not construct is not extended by them either: what is protected in it is not theirs. */
function isProtected(member: ts.ClassElement): boolean {
  return (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Protected) !== 0
}

const internalConstructor = ts.factory.createConstructorDeclaration(
  [ts.factory.createModifier(ts.SyntaxKind.PrivateKeyword)],
  [],
  undefined,
)

function isDeclared(node: ts.Identifier): boolean {
  return 'name' in node.parent && node.parent.name === node && !ts.isTypeReferenceNode(node.parent)
}

function byCode(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function blocksOf(text: string): Map<string, string> {
  const blocks = new Map<string, string>()
  let entry = ''
  for (const block of text.trimEnd().split('\n\n').slice(1)) {
    if (block.startsWith('==== ')) entry = block.slice(5)
    else {
      const [, name = block] = /^(?:(?:abstract )?\w+ )?([\w$]+)/.exec(block) ?? []
      const key = `${name} (${entry})`
      blocks.set(key, `${blocks.get(key) ?? ''}${block}\n`)
    }
  }
  return blocks
}
