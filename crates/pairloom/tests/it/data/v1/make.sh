#!/bin/sh
# Made the files beside it, once, with pairloom 0.1.0: a model of format version 1 with every kind of
# column, rows, and its predictions. They stay as they are: later versions must read them alike.
set -eu
cd "$(dirname "$0")"
awk 'BEGIN {
    srand(7)
    print "click,site,tags,price,age,visits,spend,hits,w"
    for (i = 0; i < 240; i++) {
        site = int(rand() * 6); a = int(rand() * 4); b = int(rand() * 4); price = rand() * 90
        click = (site + a + price / 30 + 2 * rand() > 6)
        printf "%d,s%d,t%d|t%d,%.2f,%s,%d,%.3f,%d,%d\n", click, site, a, b, price,
            (i % 9 ? 18 + int(rand() * 50) : ""), rand() * rand() * 40, rand() * 7 - 3,
            exp(rand() * 8), 1 + i % 3
    }
}' > rows.csv
pairloom train rows.csv --label click --weight w --categorical site --multi 'tags=|' \
    --transform price=piecewise:4 --transform age=quantile:5 --transform visits=log \
    --transform spend=standard --transform hits=log-square --factors 3 \
    --epochs 8 --optimizer adagrad --seed 1 --threads 1 > /dev/null
pairloom predict model.pairloom rows.csv --output predictions.txt
