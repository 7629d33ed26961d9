/** The ErrorResponse of a pooler that has no connection left. */
export function tooManyClients(): Buffer {
  const fields = ['SFATAL', 'VFATAL', 'CXX000', 'MMax client connections reached', '', ''].join('\0');
  const message = Buffer.alloc(5 + fields.length);
  message.write('E');
  message.writeInt32BE(4 + fields.length, 1);
  message.write(fields, 5);
  return message;
}
