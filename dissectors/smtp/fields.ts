import { fields } from 'fttscope/kit';

export const F = fields({
  smtp: { name: 'smtp', label: 'Simple Mail Transfer Protocol', type: 'protocol' },
  request: { name: 'smtp.req', label: 'Request', type: 'bool' },
  response: { name: 'smtp.rsp', label: 'Response', type: 'bool' },
  commandLine: { name: 'smtp.command_line', label: 'Command Line', type: 'string' },
  command: { name: 'smtp.req.command', label: 'Command', type: 'string', clause: 'RFC 5321 §4.1.1' },
  parameter: { name: 'smtp.req.parameter', label: 'Request parameter', type: 'string' },
  user: { name: 'smtp.auth.username', label: 'Username', type: 'string', clause: 'RFC 4954 §4' },
  password: { name: 'smtp.auth.password', label: 'Password', type: 'string' },
  userPassword: { name: 'smtp.auth.username_password', label: 'Username/Password', type: 'string' },
  reply: { name: 'smtp.response', label: 'Response', type: 'string' },
  code: { name: 'smtp.response.code', label: 'Response code', type: 'u32', clause: 'RFC 5321 §4.2' },
  replyText: { name: 'smtp.rsp.parameter', label: 'Response parameter', type: 'string' },
  end: { name: 'smtp.eom', label: 'EOM', type: 'none', clause: 'RFC 5321 §4.1.1.4' },
  fragments: { name: 'smtp.data.fragments', label: 'DATA fragments', type: 'none' },
  fragment: { name: 'smtp.data.fragment', label: 'DATA fragment', type: 'frame' },
  fragmentCount: { name: 'smtp.data.fragment.count', label: 'DATA fragment count', type: 'u32' },
  length: { name: 'smtp.data.reassembled.length', label: 'Reassembled DATA length', type: 'u32' },
});
