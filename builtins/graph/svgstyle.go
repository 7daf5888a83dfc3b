package graph

// svgStyle are the looks. Colours stand in classes, each of its own: viewers that are
// no browsers know no variables, and keep to the light ones.
const svgStyle = `
text{font-family:"Helvetica Neue",Arial,"Liberation Sans","DejaVu Sans",sans-serif;fill:#1e293b}
.ground{fill:#fff}
.card{fill:#fff}
.edge{fill:none;stroke:#94a3b8;stroke-width:1.25}
.top{fill:#eef2f7}
.router .top{fill:#dbeafe}.router .edge{stroke:#5b8def}
.bridge .top{fill:#dcfce7}.bridge .edge{stroke:#4ea46f}
.host .top{fill:#fef3c7}.host .edge{stroke:#c99a2e}
.section{fill:#f8fafc;stroke:#cbd5e1}
.section.bridge{fill:#f0fdf4;stroke:#bbe5c8}
.name{font-size:15px;font-weight:600}
.kind{font-size:11px;text-anchor:end;fill:#64748b}
.port text,.addr{font-family:"SFMono-Regular",Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;font-size:12px}
.if{font-weight:600}
.addr{fill:#334155}
.faint{fill:#64748b}
.port circle{fill:#475569;stroke:#fff;stroke-width:1.5}
.port.down text,.port.down tspan{fill:#94a3b8}
.port.down circle{fill:#cbd5e1}
.cable{fill:none;stroke:#64748b;stroke-width:1.75}
.cable.down{stroke:#cbd5e1;stroke-dasharray:5 4}
.cable.stacked{stroke-dasharray:2 3}
.cable.tunnel{stroke:#7c3aed;stroke-dasharray:8 4;stroke-width:2.5;stroke-opacity:.6}
.pill rect{fill:#e2e8f0}
.pill text{font-size:10.5px;text-anchor:middle;fill:#334155}
.pill.router rect{fill:#2563eb}.pill.router text{fill:#fff}
.pill.nat rect{fill:#ede9fe}.pill.nat text{fill:#5b21b6}
.pill.filter rect{fill:#ffe4d5}.pill.filter text{fill:#9a3412}
.pill.death rect{fill:#dc2626}.pill.death text{fill:#fff}
.walk{font-size:14px}.arrived{fill:#15803d}.lost{fill:#b91c1c}
.cable.walked{stroke:#ea580c;stroke-width:3;stroke-dasharray:none}
.cable.walked.back{stroke-dasharray:7 5}
.arrow{fill:#ea580c}
.box.walked .edge{stroke:#ea580c;stroke-width:2.5}
.box.dead .edge{stroke:#dc2626;stroke-width:2.5}
.number rect{fill:#ea580c;stroke:#fff;stroke-width:1.5}
.number text{font-size:11px;font-weight:700;text-anchor:middle;fill:#fff}
.cross{stroke:#dc2626;stroke-width:4.5;stroke-linecap:round;fill:none}
.box:hover .edge{stroke-width:2.5}.cable:hover{stroke-width:4}
@media (prefers-color-scheme:dark){
text{fill:#e2e8f0}
.ground{fill:#0f172a}
.card{fill:#1e293b}.edge{stroke:#64748b}
.top{fill:#334155}
.router .top{fill:#1e3a8a}.bridge .top{fill:#14532d}.host .top{fill:#713f12}
.section{fill:#263449;stroke:#475569}.section.bridge{fill:#163524;stroke:#2f6b45}
.kind,.faint{fill:#94a3b8}
.addr{fill:#cbd5e1}
.port circle{fill:#cbd5e1;stroke:#0f172a}
.port.down text,.port.down tspan{fill:#64748b}
.port.down circle{fill:#475569}
.cable{stroke:#94a3b8}.cable.down{stroke:#475569}.cable.tunnel{stroke:#a78bfa}
.pill rect{fill:#475569}.pill text{fill:#e2e8f0}
.pill.nat rect{fill:#4c1d95}.pill.nat text{fill:#ede9fe}
.pill.filter rect{fill:#7c2d12}.pill.filter text{fill:#ffe4d5}
.arrived{fill:#4ade80}.lost{fill:#f87171}
}
`
