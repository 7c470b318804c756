//! Small files in the shape of public data sets, made up here.

use super::draws;

/// A word for a number, in so many hexadecimal digits.
fn hex(number: u32) -> String {
    format!("{:08x}", number.wrapping_mul(2_654_435_761))
}

/// Criteo's `train.txt`, or without labels its `test.txt`: 13 counts and 26 names, some of them missing.
pub fn criteo(rows: usize, labelled: bool) -> String {
    let row = |[a, b, c]: [u32; 3]| {
        let counts = (0..13).map(|i| match (a >> i) % 5 {
            0 => String::new(),
            1 => "-1".into(),
            _ => (b % (7 + 100 * i)).to_string(),
        });
        let names = (0..26).map(|i| match (c >> (i % 16)) % 9 {
            0 => String::new(),
            name => hex(name + 16 * i),
        });
        let label = if (c % 9 < 4) != (a % 10 == 0) { "1" } else { "0" };
        let cells = labelled.then(|| label.to_string()).into_iter();
        cells.chain(counts).chain(names).collect::<Vec<_>>().join("\t") + "\n"
    };
    draws(rows).into_iter().map(row).collect()
}

const AVAZU: &str = "C1,banner_pos,site_id,site_domain,site_category,app_id,app_domain,app_category,device_id,\
                     device_ip,device_model,device_type,device_conn_type,C14,C15,C16,C17,C18,C19,C20,C21";

/// Avazu's `train.csv`, or without labels its `test.csv`, of the 21st to the 25th of October 2014. Clicks are
/// made in the morning.
pub fn avazu(rows: usize, labelled: bool) -> String {
    let click = if labelled { "click," } else { "" };
    let row = |(at, [a, b, c]): (usize, [u32; 3])| {
        let hour = a % 24;
        let label = if labelled {
            format!("{},", u8::from((hour < 12) != (b % 10 == 0)))
        } else {
            "".into()
        };
        let cells =
            (0..21).map(|i| if i < 2 { (1002 + c % 3).to_string() } else { hex((c >> i) % 4) });
        let cells = cells.collect::<Vec<_>>().join(",");
        format!(
            "{},{label}1410{:02}{hour:02},{cells}\n",
            10_000_000_000_000_000_000 + at as u128,
            21 + at % 5
        )
    };
    let rows = draws(rows).into_iter().enumerate().map(row);
    format!("id,{click}hour,{AVAZU}\n") + &rows.collect::<String>()
}

/// Users and items of made up ratings.
pub const USERS: u32 = 20;
pub const ITEMS: u32 = 30;

/// The title of an item: some have quotes, accents, commas, what separates cells, or no year.
pub fn title(item: u32) -> String {
    match item % 6 {
        0 => format!("Star Wars: Episode {item} (19{:02})", item + 50),
        1 => format!("Miserables, Les {item} (1995)"),
        2 => format!("The \"Big\" One {item} (2001)"),
        3 => format!("Caf\u{e9} {item} (1987)"),
        4 => format!("A :: B {item} (1999)"),
        _ => format!("Without a year {item}"),
    }
}

/// Users, items, ratings and times, with these between them.
pub fn ratings(separator: &str) -> String {
    let row = |[a, b, c]: [u32; 3]| {
        // An item more than are known.
        let (user, item) = (1 + a % USERS, 1 + b % (ITEMS + 1));
        let rating = 1 + (user + item % 3 + u32::from(c % 5 == 0)) % 5;
        let time = 880_000_000 + c % 1_000_000;
        [user, item, rating, time].map(|number| number.to_string()).join(separator) + "\n"
    };
    draws(400).into_iter().map(row).collect()
}

/// Text in ISO-8859-1.
pub fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// Its `u.user` and `u.item`.
pub fn movielens_100k() -> [(&'static str, Vec<u8>); 3] {
    let user = |user: u32| {
        format!("{user}|{}|{}|student|{:05}\n", 18 + user, ["M", "F"][user as usize % 2], user)
    };
    let item = |item: u32| {
        let flags: String =
            (0..19).map(|genre| if genre % 7 == item % 7 { "|1" } else { "|0" }).collect();
        format!("{item}|{}|01-Jan-1995||http://us.imdb.com/M/{item}{flags}\n", title(item))
    };
    let users: String = (1..=USERS).map(user).collect();
    let items: String = (1..=ITEMS).map(item).collect();
    [("u.data", ratings("\t").into()), ("u.user", users.into()), ("u.item", latin1(&items))]
}

/// Its `users.dat` and `movies.dat`.
pub fn movielens_1m() -> [(&'static str, Vec<u8>); 3] {
    let user = |user: u32| {
        format!(
            "{user}::{}::{}::{}::{user:05}\n",
            ["M", "F"][user as usize % 2],
            [1, 18, 25][user as usize % 3],
            user % 4
        )
    };
    let item = |item: u32| {
        format!(
            "{item}::{}::{}\n",
            title(item),
            ["Action|Sci-Fi", "Drama", "Children's"][item as usize % 3]
        )
    };
    let users: String = (1..=USERS).map(user).collect();
    let items: String = (1..=ITEMS).map(item).collect();
    [
        ("ratings.dat", ratings("::").into()),
        ("users.dat", users.into()),
        ("movies.dat", latin1(&items)),
    ]
}

/// Its `movies.csv`.
pub fn movielens() -> [(&'static str, Vec<u8>); 2] {
    let item = |item: u32| {
        let title = title(item).replace('"', "\"\"");
        let genres = ["Action|Sci-Fi", "Drama", "(no genres listed)"][item as usize % 3];
        format!("{item},\"{title}\",{genres}\n")
    };
    let items: String = (1..=ITEMS).map(item).collect();
    let ratings = "userId,movieId,rating,timestamp\n".to_string() + &ratings(",");
    [
        ("ratings.csv", ratings.into()),
        ("movies.csv", format!("movieId,title,genres\n{items}").into()),
    ]
}
