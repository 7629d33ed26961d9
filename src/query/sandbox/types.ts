const SCALAR =
  /^(?:String|Bool|UUID|U?Int(?:8|16|32|64)|Float(?:32|64)|Date(?:32)?|DateTime|DateTime64\([0-9]\))$/;
const WRAPPED = /^(?:Nullable|Array)\((.*)\)$/;

/** Whether a placeholder may have this type. `Identifier` is none of them: it would name tables and functions. */
export function isPermittedType(type: string): boolean {
  const inner = WRAPPED.exec(type)?.[1];
  return inner === undefined ? SCALAR.test(type) : isPermittedType(inner);
}
